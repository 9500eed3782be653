"""The exercise's four programs with wirecat, run against each other and against those in plain sockets."""

from __future__ import annotations

import os
import sys

import pytest

from peers import PROJECT, Program, environment

EXERCISE = PROJECT / "examples" / "exercise"
HALVES = ("plain", "with_wirecat")


def program(half: str, name: str, *arguments: object) -> Program:
    words = [sys.executable, EXERCISE / half / name, *(str(each) for each in arguments)]
    return Program(words, env=environment(PYTHONIOENCODING="utf-8"))


def port_of(server: Program) -> int:
    return int(server.wait_for("stdout", rb"istening on 127\.0\.0\.1(?: port |:)(\d+)")[1])


@pytest.mark.parametrize("server_half", HALVES)
@pytest.mark.parametrize("client_half", HALVES)
class TestEachAgainstEach:
    def test_a_talk_ended_by_quit(self, server_half: str, client_half: str) -> None:
        with program(server_half, "server_threads.py", "127.0.0.1", 0) as server:
            with program(client_half, "client.py", "127.0.0.1", port_of(server)) as client:
                client.wait_for("stdout", rb"Input: ")
                client.send("Grüße\n".encode())
                client.wait_for("stdout", "You told me: Grüße".encode())
                client.send(b"quit\nnot sent\n")
                assert client.wait() == 0
            assert b"You told me: quit" in client.stdout
            server.wait_for("stdout", rb"Gr|\\xc3")
            assert b"not sent" not in server.stdout

    def test_an_empty_line_is_not_sent(self, server_half: str, client_half: str) -> None:
        with program(server_half, "server_threads.py", "127.0.0.1", 0) as server:
            with program(client_half, "client.py", "127.0.0.1", port_of(server)) as client:
                client.send(b"one\n\ntwo\n")
                assert client.wait() == 0
            assert b"You told me: one" in client.stdout
            assert b"two" not in server.stdout

    def test_one_connection_in_pieces(self, server_half: str, client_half: str) -> None:
        with program(server_half, "server.py", "127.0.0.1", 0) as server:
            with program(client_half, "client.py", "127.0.0.1", port_of(server)) as client:
                client.send(b"x" * 30 + b"y" * 10 + b"\n")
                client.wait_for("stdout", rb"server got: x{30}server got: y{10}")
                client.send(b"\n")
                assert client.wait() == 0
            assert server.wait() == 0

    def test_fifty_clients(self, server_half: str, client_half: str) -> None:
        with program(server_half, "server_threads.py", "127.0.0.1", 0) as server:
            with program(client_half, "many_clients.py", "127.0.0.1", port_of(server), 50) as clients:
                assert clients.wait(30) == 0


@pytest.mark.skipif(os.name != "posix", reason="a test can't press Ctrl-C there")
def test_ctrl_c_ends_the_server() -> None:
    with program("with_wirecat", "server_threads.py", "127.0.0.1", 0) as server:
        port_of(server)
        server.interrupt()
        assert server.wait() == 0
        assert b"Stopped." in server.stdout
