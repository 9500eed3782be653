"""chat, broker and exec with the programs that people have: ncat, nc, socat, telnet."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from peers import Program, peer
from server.clients import PATIENCE, eventually, serving
from wirecat.server.handlers.broker import Broker
from wirecat.server.handlers.chat import Chat

Client = Callable[[int], list[str]]


def ncat(port: int) -> list[str]:
    return [peer("ncat"), "127.0.0.1", str(port)]


def nc(port: int) -> list[str]:
    return [peer("nc.openbsd"), "127.0.0.1", str(port)]


def socat(port: int) -> list[str]:
    return [peer("socat"), "-", f"TCP:127.0.0.1:{port}"]


def telnet(port: int) -> list[str]:
    return [peer("telnet"), "127.0.0.1", str(port)]


CLIENTS = [ncat, nc, socat]


def test_a_chat_of_different_programs() -> None:
    chat = Chat()
    with serving(chat) as served, ExitStack() as stack:
        people = []
        for number, client in enumerate((ncat, nc, socat, telnet), start=1):
            program = stack.enter_context(Program(client(served.port)))
            program.wait_for("stdout", b"connected as <user%d>.\r?\n" % number)
            people.append(program)
        for number, speaker in enumerate(people[:3], start=1):
            speaker.send("Grüße von %d\n".encode() % number)
            for other in people:
                if other is not speaker:
                    other.wait_for("stdout", "<user%d> Grüße von %d\r?\n".encode() % (number, number))
        people[3].send(b"typed\n")
        people[0].wait_for("stdout", b"<user4> typed\n")
        people[0].close_stdin()
        assert people[0].wait() == 0
        people[1].wait_for("stdout", b"<announce> <user1> is disconnected.\n")


@pytest.mark.parametrize("receiver", CLIENTS)
@pytest.mark.parametrize("sender", CLIENTS)
def test_a_file_by_way_of_a_broker(sender: Client, receiver: Client, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    file = tmp_path / "data"
    file.write_bytes(data)
    broker = Broker()
    with serving(broker) as served, Program(receiver(served.port)) as taking, file.open("rb") as source:
        eventually(lambda: len(broker.room) == 1, "it is there")
        with Program(sender(served.port), stdin=source) as giving:
            eventually(lambda: len(taking.stdout) == len(data), "all of it has come")
            assert hashlib.sha256(taking.stdout).digest() == hashlib.sha256(data).digest()
            if sender is not nc:  # which keeps the connection open at the end of its input, unless it is told -N
                assert giving.wait() == 0, giving.describe()


@pytest.mark.parametrize("client", [ncat, socat, lambda port: [*nc(port), "-N"]])
def test_a_program_for_each(client: Client, tmp_path: Path) -> None:
    """Each gets the answer that its program gives at the end of its input, however late."""
    with serving("exec:sort -r; sleep 0.3; echo end") as served:
        with Program(client(served.port)) as one, Program(client(served.port)) as two:
            one.send(b"a\nc\nb\n")
            two.send(b"1\n2\n")
            one.close_stdin()
            two.close_stdin()
            assert one.wait() == two.wait() == 0
            assert one.stdout == b"c\nb\na\nend\n" and two.stdout == b"2\n1\nend\n"


def test_a_shell_that_the_client_uses() -> None:
    with serving("exec:sh") as served, Program(ncat(served.port)) as client:
        client.send(b"echo $((6 * 7))\n")
        client.wait_for("stdout", b"^42\n")
        client.send(b"exit\n")
        client.close_stdin()  # this one waits for its input's end as well
        assert client.wait() == 0


def test_ncat_by_tls_in_a_chat_with_one_without() -> None:
    chat = Chat()
    with serving(chat, "tls://127.0.0.1:0") as secure, serving(chat) as plain:
        with Program([*ncat(secure.port), "--ssl"]) as one:
            one.wait_for("stdout", b"nobody.\n")
            with socket.create_connection(("127.0.0.1", plain.port), PATIENCE) as two:
                # Numbers are those of the server, and there are two of them.
                one.wait_for("stdout", b"connected as <user1>.\n", since=50)
                two.sendall(b"hello\n")
                one.wait_for("stdout", b"<user1> hello\n")
