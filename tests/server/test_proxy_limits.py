"""The time limits of the proxy: how they are written, and what each of them ends."""

from __future__ import annotations

import socket

import pytest

from leaks import nothing_left_behind as nothing_left_behind
from server.clients import PATIENCE, everything
from server.handlers.origin import proxying, status
from wirecat.errors import HandlerError
from wirecat.events import Closed
from wirecat.server.handler import load_handler
from wirecat.server.handlers.proxy import Proxy, make
from wirecat.server.proxy_limits import NO_LIMITS, ProxyLimits, parse_limits


def wait_for_end(client: socket.socket, rest: bytes) -> None:
    client.settimeout(PATIENCE)
    while client.recv(65536):
        pass


def test_parse_limits_without_text_gives_defaults() -> None:
    limits = parse_limits("")
    assert (limits.head, limits.body, limits.response, limits.tunnel) == (30, 60, 300, 3600)


@pytest.mark.parametrize("text", ["body", "body=", "body=x", "body=-1", "body=inf", "body=nan", "bodies=1", "&"])
def test_parse_limits_malformed_raises(text: str) -> None:
    with pytest.raises(HandlerError):
        parse_limits(text)


def test_handler_spec_takes_limits_before_the_password() -> None:
    handler = load_handler("proxy?body=0.5&tunnel=0:me:word")
    assert handler.name == "proxy"
    with pytest.raises(HandlerError, match="unknown handler"):
        load_handler("echo?body=1")


def test_head_that_does_not_come_is_answered_408() -> None:
    with proxying(make("", "head=0.2")) as (served, _), served.connect() as client:
        client.sendall(b"GET http://")
        assert status(everything(client)) == 408


def test_body_that_does_not_come_is_answered_408_and_the_server_is_let_go() -> None:
    with proxying(make("", "body=0.2"), reply=wait_for_end) as (served, origin), served.connect() as client:
        client.sendall(f"POST {origin.url}/ HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc".encode())
        answer = everything(client)
        assert status(answer) == 408
        assert b"0.2 s" in answer


def test_response_that_does_not_come_is_answered_504() -> None:
    with proxying(make("", "response=0.2"), reply=wait_for_end) as (served, origin), served.connect() as client:
        client.sendall(f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        assert status(everything(client)) == 504


def test_response_time_counts_from_the_last_piece_of_the_request() -> None:
    def answer(client: socket.socket, rest: bytes) -> None:
        while len(rest) < 6:
            rest += client.recv(10)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with proxying(make("", "response=0.4"), reply=answer) as (served, origin), served.connect() as client:
        client.sendall(f"POST {origin.url}/ HTTP/1.1\r\nContent-Length: 6\r\n\r\n".encode())
        client.settimeout(0.15)
        for letter in b"abcdef":
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.sendall(bytes([letter]))
        client.settimeout(PATIENCE)
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_response_that_stops_in_the_middle_ends_early() -> None:
    def half(client: socket.socket, rest: bytes) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        wait_for_end(client, rest)

    with proxying(make("", "body=0.2"), reply=half) as (served, origin), served.connect() as client:
        client.sendall(f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        assert everything(client).endswith(b"half")


def test_tunnel_without_a_byte_is_closed_as_idle() -> None:
    def echo(client: socket.socket, rest: bytes) -> None:
        wait_for_end(client, rest)

    with proxying(Proxy(limits=ProxyLimits(tunnel=0.3)), reply=echo) as (served, origin), served.connect() as client:
        client.sendall(f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        assert client.recv(100) == b""
        assert served.events.wait(Closed).reason == "idle"


def test_no_limits_has_none() -> None:
    assert {NO_LIMITS.head, NO_LIMITS.connect, NO_LIMITS.body, NO_LIMITS.response, NO_LIMITS.tunnel} == {None}
