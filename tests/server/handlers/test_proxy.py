"""The HTTP proxy, asked by hand: what passes, what is refused, and what the server behind gets to see."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import socket
import threading

import pytest

from leaks import nothing_left_behind  # noqa: F401
from server.clients import PATIENCE, everything, exactly, reset, serving
from server.handlers.origin import Origin, ask, fields, proxying, status
from wirecat.errors import HandlerError
from wirecat.events import Closed
from wirecat.server.handlers.proxy import Proxy, make

# Requests that are passed on


def test_get() -> None:
    with proxying() as (served, origin):
        answer = ask(
            served, f"GET {origin.url}/a%20b?c=%64 HTTP/1.1\r\nHost: elsewhere\r\nAccept: */*\r\n\r\n".encode()
        )
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\nX-Server: here\r\n") and body == b"hello"
        sent = origin.heads[0]
        assert sent.startswith(b"GET /a%20b?c=%64 HTTP/1.1\r\n"), "the path is passed on as it came"
        names = dict(fields(sent))
        assert names["Host"] == f"127.0.0.1:{origin.port}", "the URI says where it goes, whatever the Host field says"
        assert names["Accept"] == "*/*" and names["Connection"] == "close"
        assert names["Via"].startswith("1.1 wirecat-")


def test_head_has_no_body() -> None:
    with proxying() as (served, origin):
        answer = ask(served, f"HEAD {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        assert b"Content-Length: 5" in answer and answer.endswith(b"\r\n\r\n")
        assert origin.heads[0].startswith(b"HEAD / HTTP/1.1\r\n")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods(method: str) -> None:
    with proxying() as (served, origin):
        answer = ask(served, f"{method} {origin.url}/x HTTP/1.1\r\nContent-Length: 2\r\n\r\nab".encode())
        assert status(answer) == 200
        assert origin.heads[0].startswith(f"{method} /x HTTP/1.1".encode()) and origin.bodies == [b"ab"]


def test_options_for_the_server_as_a_whole() -> None:
    with proxying() as (served, origin):
        ask(served, f"OPTIONS {origin.url} HTTP/1.1\r\n\r\n".encode())
        assert origin.heads[0].startswith(b"OPTIONS * HTTP/1.1\r\n")


def test_fields_for_one_hop_are_taken_out() -> None:
    reply = (
        b"HTTP/1.1 200 OK\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-End: 1\r\nUpgrade: h2c\r\n"
        b"Proxy-Authenticate: Basic realm=x\r\nContent-Length: 2\r\n\r\nok"
    )
    with proxying(reply=reply) as (served, origin):
        request = (
            f"GET {origin.url}/ HTTP/1.1\r\nConnection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: 1\r\n"
            "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nTE: trailers\r\nTrailer: X\r\n"
            "Upgrade: websocket\r\nX-Kept: 1\r\n\r\n"
        )
        answer = ask(served, request.encode())
        assert {name for name, _ in fields(origin.heads[0])} == {"Host", "X-Kept", "Via", "Connection"}
        assert {name for name, _ in fields(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")} == {
            "X-End", "Content-Length", "Via",
        }  # fmt: skip


def test_percent_escapes_in_the_host() -> None:
    with proxying() as (served, origin):
        assert status(ask(served, f"GET http://%31%32%37.0.0.1:{origin.port}/ HTTP/1.0\r\n\r\n".encode())) == 200


def test_ipv6() -> None:
    with Origin(host="::1") as origin, serving("proxy") as served:
        assert status(ask(served, f"GET http://[::1]:{origin.port}/ HTTP/1.0\r\n\r\n".encode())) == 200
        assert dict(fields(origin.heads[0]))["Host"] == f"[::1]:{origin.port}"
        with served.connect() as client:
            client.sendall(f"CONNECT [::1]:{origin.port} HTTP/1.0\r\n\r\n".encode())
            assert exactly(client, 19) == b"HTTP/1.1 200 OK\r\n\r\n"


# Tunnels


def test_a_tunnel_is_a_tunnel() -> None:
    data = os.urandom(1 << 20) * 4
    with serving("echo") as echo, serving("proxy") as served, served.connect() as client:
        client.sendall(f"CONNECT 127.0.0.1:{echo.port} HTTP/1.1\r\nHost: x\r\n\r\nfirst".encode())
        assert exactly(client, 24) == b"HTTP/1.1 200 OK\r\n\r\nfirst"
        sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
        sender.start()
        assert everything(client) == data
        sender.join(PATIENCE)
        assert served.events.wait(Closed).reason == "end"
        echo.events.wait(Closed)


def test_a_tunnel_half_closes_both_ways() -> None:
    def serve(client: socket.socket, rest: bytes) -> None:
        client.sendall(b"server's\n")
        client.shutdown(socket.SHUT_WR)
        origin.bodies.append(everything(client))

    with proxying(reply=serve) as (served, origin), served.connect() as client:
        client.sendall(f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1\r\n\r\n\r\n\r\n\r\n".encode())
        assert everything(client) == b"HTTP/1.1 200 OK\r\n\r\nserver's\n"
        client.sendall(b"client's")
        client.shutdown(socket.SHUT_WR)
        served.events.wait(Closed)
    assert origin.bodies == [b"client's"]


def test_a_tunnel_whose_server_breaks_off() -> None:
    def serve(client: socket.socket, rest: bytes) -> None:
        reset(client)

    with proxying(reply=serve) as (served, origin), served.connect() as client:
        client.sendall(f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1\r\n\r\nGET / HTTP/1.0\r\n\r\n".encode())
        with contextlib.suppress(ConnectionResetError):
            everything(client)
        served.events.wait(Closed)


def test_a_tunnel_whose_client_breaks_off() -> None:
    with serving("echo") as echo, serving("proxy") as served:
        client = served.connect()
        client.sendall(f"CONNECT 127.0.0.1:{echo.port} HTTP/1.1\r\n\r\nx".encode())
        assert exactly(client, 20).endswith(b"x")
        reset(client)
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason) == ("peer", "reset")
        echo.events.wait(Closed)


def test_a_tunnel_can_be_cut() -> None:
    with serving("echo") as echo, serving("proxy") as served, served.connect() as client:
        client.sendall(f"CONNECT 127.0.0.1:{echo.port} HTTP/1.1\r\n\r\nx".encode())
        assert exactly(client, 20).endswith(b"x")
        assert served.server.kick(1)
        assert served.events.wait(Closed).reason == "kicked"
        echo.events.wait(Closed)


# What is refused


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("hello\r\n\r\n", 400),
        ("GET http://h/\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET h HTTP/1.1\r\n\r\n", 400),
        ("GET https://h/ HTTP/1.1\r\n\r\n", 400),
        ("GET http:/// HTTP/1.1\r\n\r\n", 400),
        ("GET http://u:p@h/ HTTP/1.1\r\n\r\n", 400),
        ("GET http://h:99999/ HTTP/1.1\r\n\r\n", 400),
        ("GET http://h:0/ HTTP/1.1\r\n\r\n", 400),
        ("CONNECT h HTTP/1.1\r\n\r\n", 400),
        ("CONNECT h:x HTTP/1.1\r\n\r\n", 400),
        ("CONNECT http://h:1/ HTTP/1.1\r\n\r\n", 400),
        ("CONNECT ::1:80 HTTP/1.1\r\n\r\n", 400),
        ("GET http://h/ HTTP/1.1\r\nno field\r\n\r\n", 400),
        ("GET http://h/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET http://h\r\n/ HTTP/1.1\r\n\r\n", 400),
        ("POST http://h/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        ("POST http://h/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST http://h/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST http://h/ HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        ("GET http://h/ HTTP/2.0\r\n\r\n", 505),
        ("TRACE http://h/ HTTP/1.1\r\n\r\n", 405),
        ("BREW http://h/ HTTP/1.1\r\n\r\n", 405),
        (f"GET http://h/{'a' * 9000} HTTP/1.1\r\n\r\n", 414),
        (f"GET http://h/ HTTP/1.1\r\nX: {'a' * 70000}\r\n\r\n", 431),
        ("GET http://h/ HTTP/1.1\r\n" + "X: y\r\n" * 200 + "\r\n", 431),
        ("OPTIONS * HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_it_is_refused(request_: str, code: int) -> None:
    with serving("proxy") as served:
        answer = ask(served, request_.encode(), end=False)
        assert status(answer) == code
        assert b"Connection: close\r\n" in answer and answer.endswith(b"\n")
        assert not served.failures


def test_a_method_that_is_not_taken_says_which_are() -> None:
    with serving(Proxy(methods=("CONNECT", "GET", "HEAD", "POST"))) as served:
        assert b"\r\nAllow: CONNECT, GET, HEAD, POST\r\n" in ask(served, b"PUT http://h/ HTTP/1.1\r\n\r\n")


def test_a_client_that_ends_in_the_middle() -> None:
    with proxying() as (served, origin):
        assert status(ask(served, b"GET http://127.0.0.1/ HT")) == 400
        assert ask(served, b"") == b""
        answer = ask(served, f"POST {origin.url}/ HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc".encode())
        assert status(answer) == 400


def test_a_client_that_never_asks() -> None:
    with serving("proxy?head=0.2") as served:
        assert status(ask(served, b"GET http", end=False)) == 408
        with Origin() as origin, served.connect() as client:
            client.sendall(f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
            assert everything(client).endswith(b"hello"), "a connection that is not used again ends without a word"


# Servers that fail


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("method", ["CONNECT", "GET"])
def test_a_server_that_is_not_there(method: str) -> None:
    port = free_port()
    where = f"127.0.0.1:{port}" if method == "CONNECT" else f"http://127.0.0.1:{port}/"
    with serving("proxy") as served, serving(Proxy(unreachable=504)) as other:
        answer = ask(served, f"{method} {where} HTTP/1.1\r\n\r\n".encode())
        assert status(answer) == 502 and b"connection refused" in answer
        assert status(ask(other, f"{method} {where} HTTP/1.1\r\n\r\n".encode())) == 504


def test_a_name_that_is_not_known() -> None:
    with serving("proxy") as served:
        assert status(ask(served, b"GET http://nosuch.invalid/ HTTP/1.1\r\n\r\n")) == 502


# Loops


def test_a_request_for_the_proxy_itself() -> None:
    with serving("proxy") as served:
        for host in ("127.0.0.1", "localhost", "127.0.0.%31", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"):
            assert status(ask(served, f"GET http://{host}:{served.port}/ HTTP/1.1\r\n\r\n".encode())) == 403
        assert status(ask(served, f"CONNECT 127.0.0.1:{served.port} HTTP/1.1\r\n\r\n".encode())) == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "[::ffff:127.0.0.9]", "localhost", "0.0.0.0"])
def test_a_request_for_the_proxy_itself_on_all_interfaces(host: str) -> None:
    with serving(Proxy(via=""), "0.0.0.0:0") as served:
        answer = ask(served, f"GET http://{host}:{served.port}/ HTTP/1.1\r\n\r\n".encode())
        assert status(answer) == 403, answer


def test_two_proxies_that_ask_each_other() -> None:
    """The first one knows its own name in the Via field when the request comes round."""
    with serving("proxy") as first:

        def send_back(client: socket.socket, rest: bytes) -> None:
            via = dict(fields(origin.heads[0]))["Via"]
            with socket.create_connection(("127.0.0.1", first.port), PATIENCE) as again:
                again.sendall(f"GET http://127.0.0.1:1/ HTTP/1.1\r\nVia: {via}, 1.1 other\r\n\r\n".encode())
                again.shutdown(socket.SHUT_WR)
                client.sendall(everything(again))

        with Origin(send_back) as origin:
            assert status(ask(first, f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())) == 403


# Who may use it


def basic(user: str, password: str) -> str:
    return f"Proxy-Authorization: Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}\r\n"


def digest(challenge: bytes, method: str, uri: str, *, password: str = "secret", count: int = 1) -> str:
    """Credentials as a client of RFC 7616 would make them, written anew here."""
    nonce = re.search(rb'nonce="([^"]+)"', challenge)
    assert nonce

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    made = nonce[1].decode()
    proof = f"{md5(f'anna:wirecat:{password}')}:{made}:{count:08x}:c0ffee:auth:{md5(f'{method}:{uri}')}"
    return (
        f'Proxy-Authorization: Digest username="anna", realm="wirecat", nonce="{made}", uri="{uri}", '
        f'response="{md5(proof)}", qop=auth, nc={count:08x}, cnonce="c0ffee", algorithm=MD5\r\n'
    )


def test_who_says_nothing_is_asked() -> None:
    with proxying(make("anna:secret")) as (served, origin):
        answer = ask(served, f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        assert status(answer) == 407
        names = [
            value.split(" ")[0]
            for name, value in fields(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            if name == "Proxy-Authenticate"
        ]
        assert names == ["Basic", "Digest", "Digest"]
        assert not origin.heads


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_basic(method: str) -> None:
    with proxying(make("anna:se:cret")) as (served, origin):
        where = f"127.0.0.1:{origin.port}" if method == "CONNECT" else f"{origin.url}/"
        for user, password, code in (("anna", "se:cret", 200), ("anna", "x", 407), ("otto", "se:cret", 407)):
            answer = ask(served, f"{method} {where} HTTP/1.1\r\n{basic(user, password)}\r\n".encode())
            assert status(answer) == code
        assert all(b"Proxy-Authorization" not in head for head in origin.heads), "it is for this proxy alone"


def test_digest_and_what_is_replayed() -> None:
    with proxying(make("anna:secret")) as (served, origin):
        uri = f"{origin.url}/"
        challenge = ask(served, f"GET {uri} HTTP/1.1\r\n\r\n".encode())
        right = f"GET {uri} HTTP/1.1\r\n{digest(challenge, 'GET', uri)}\r\n".encode()
        assert status(ask(served, right)) == 200
        again = ask(served, right)
        assert status(again) == 407 and b"stale=true" in again, "the same once more is somebody who listened"
        counted = digest(challenge, "GET", uri, count=2)
        assert status(ask(served, f"GET {uri} HTTP/1.1\r\n{counted}\r\n".encode())) == 200
        wrong = digest(challenge, "GET", uri, password="guess", count=3)
        assert status(ask(served, f"GET {uri} HTTP/1.1\r\n{wrong}\r\n".encode())) == 407
        other = digest(challenge, "POST", uri, count=4)
        assert status(ask(served, f"GET {uri} HTTP/1.1\r\n{other}\r\n".encode())) == 407
        assert len(origin.heads) == 2


def test_a_nonce_of_another_proxy() -> None:
    with proxying(make("anna:secret")) as (served, origin), serving(make("anna:secret")) as other:
        uri = f"{origin.url}/"
        challenge = ask(other, f"GET {uri} HTTP/1.1\r\n\r\n".encode())
        assert status(ask(served, f"GET {uri} HTTP/1.1\r\n{digest(challenge, 'GET', uri)}\r\n".encode())) == 407
        served.events.wait(Closed)


def test_the_password_is_in_no_message() -> None:
    with serving("proxy:anna:secret") as served:
        assert "secret" not in repr(served.server) + served.server.handler.name


@pytest.mark.parametrize("argument", ["anna", ":secret", "secret"])
def test_an_argument_that_is_no_account(argument: str) -> None:
    with pytest.raises(HandlerError, match="USER:PASSWORD"):
        make(argument)


def test_it_can_be_as_ncats() -> None:
    proxy = Proxy(
        {"u": "p"}, realm="Ncat", methods=("CONNECT", "GET", "HEAD", "POST"), via="", version=(1, 0), keep=False,
        unreachable=504, no_length=400,
    )  # fmt: skip
    with proxying(proxy) as (served, origin):
        asked = ask(served, b"GET http://h/ HTTP/1.1\r\n\r\n")
        assert asked.startswith(b"HTTP/1.0 407 ") and b'Proxy-Authenticate: Basic realm="Ncat"\r\n' in asked
        who = basic("u", "p")
        answer = ask(served, f"GET {origin.url}/ HTTP/1.1\r\n{who}\r\n".encode(), end=False)
        assert answer.startswith(b"HTTP/1.0 200 OK\r\n") and b"Via" not in answer + origin.heads[0]
        assert status(ask(served, f"POST {origin.url}/ HTTP/1.1\r\n{who}\r\nx".encode())) == 400
        tunnel = ask(served, f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1\r\n{who}\r\n".encode())
        assert tunnel == b"HTTP/1.0 200 OK\r\n\r\n"
