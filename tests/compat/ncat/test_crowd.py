"""The broker and the chat."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from compat.ncat.harness import Ncat, both, everything, exactly, free_port, is_silent, ours
from peers import PATIENCE


def read_until(client: socket.socket, pattern: bytes) -> re.Match[bytes]:
    data = b""
    while not (match := re.search(pattern, data)):
        piece = client.recv(4096)
        assert piece, f"it ended after {data!r}, without {pattern!r}"
        data += piece
    return match


@both
@pytest.mark.parametrize("options", [["--broker"], ["--broker", "-k"]], ids=" ".join)
def test_what_one_says_goes_to_the_others(ncat: Ncat, options: list[str]) -> None:
    listener = ncat.listen("-v", *options)
    clients = []
    for number in range(3):
        clients.append(ncat.dial(listener.port))
        listener.program.wait_for("stderr", b"(?s)" + b"Connection from.*" * (number + 1))
    meet(clients)
    clients[0].sendall(b"\xff hello\n")
    assert exactly(clients[1], 8) == exactly(clients[2], 8) == b"\xff hello\n"
    assert is_silent(clients[0])
    assert listener.program.stdout == b""


def meet(clients: list[socket.socket]) -> None:
    """Wait until each of them is heard by the others: who has connected is not there yet."""
    for speaker in clients:
        others = [client for client in clients if client is not speaker]
        while others:
            speaker.sendall(b".")
            for other in list(others):
                if not is_silent(other, 0.1):
                    others.remove(other)
    for client in clients:
        while not is_silent(client, 0.1):
            client.recv(4096)


@both
def test_the_broker_listens_by_itself(ncat: Ncat) -> None:
    port = free_port()
    program = ncat.start("--test", "--broker", "127.0.0.1", port)
    program.wait_for("stderr", b"NCAT TEST: LISTEN\n")
    ncat.dial(port)


@both
def test_what_the_broker_is_told_goes_to_all(ncat: Ncat) -> None:
    listener = ncat.listen("--broker")
    clients = [ncat.dial(listener.port), ncat.dial(listener.port)]
    meet(clients)
    listener.program.send(b"from here")
    assert exactly(clients[0], 9) == exactly(clients[1], 9) == b"from here"
    listener.program.close_stdin()
    assert is_silent(clients[0])


@both
def test_one_who_goes_ends_no_other(ncat: Ncat) -> None:
    listener = ncat.listen("--broker")
    clients = [ncat.dial(listener.port) for _ in range(3)]
    meet(clients)
    clients[2].shutdown(socket.SHUT_WR)
    assert everything(clients[2]) == b""
    clients[0].sendall(b"hi")
    assert exactly(clients[1], 2) == b"hi"


def chatting(ncat: Ncat, port: int) -> tuple[socket.socket, bytes]:
    """A client of the chat, and its name."""
    client = ncat.dial(port)
    name = read_until(client, rb"127\.0\.0\.1 is connected as (<user\d+>)\.\n")[1]
    return client, name


@both
def test_who_comes_and_goes_is_announced(ncat: Ncat) -> None:
    listener = ncat.listen("--chat")
    first, name = chatting(ncat, listener.port)
    second, other = chatting(ncat, listener.port)
    assert name != other
    read_until(first, b"<announce> 127.0.0.1 is connected as " + other + rb"\.\n")
    second.close()
    read_until(first, b"<announce> " + other + rb" is disconnected\.\n")


@both
def test_what_is_said_has_a_tag_and_no_escape_sequence(ncat: Ncat) -> None:
    listener = ncat.listen("--chat")
    first, _ = chatting(ncat, listener.port)
    second, _ = chatting(ncat, listener.port)
    read_until(first, rb"is connected as <user\d+>\.\n.*\n")
    second.sendall("grün\x1b[31m\t!\n".encode())
    assert read_until(first, rb"(?m)^<user\d+> (.*)\n")[1] == rb"gr\303\274n\033[31m" + b"\t!"


@both
def test_a_line_keeps_the_end_that_it_came_with(ncat: Ncat) -> None:
    listener = ncat.listen("--chat")
    first, _ = chatting(ncat, listener.port)
    second, _ = chatting(ncat, listener.port)
    read_until(first, rb"is connected as <user\d+>\.\n.*\n")
    second.sendall(b"as Windows has it\r\n")
    read_until(first, rb"<user\d+> as Windows has it\r\n")


@both
def test_what_the_chat_is_told(ncat: Ncat) -> None:
    listener = ncat.listen("--chat")
    first, _ = chatting(ncat, listener.port)
    listener.program.send(b"from here\n")
    read_until(first, b"<user0> from here\n")


@ours
def test_the_chat_under_its_other_name(ncat: Ncat) -> None:
    listener = ncat.listen("--talk")
    chatting(ncat, listener.port)


@ours
def test_two_lines_are_two(ncat: Ncat) -> None:
    listener = ncat.listen("--chat")
    first, _ = chatting(ncat, listener.port)
    second, name = chatting(ncat, listener.port)
    second.sendall(b"one\ntwo\n")
    read_until(first, name + b" one\n" + name + b" two\n")


@ours
def test_the_chat_tells_descriptors(ncat: Ncat) -> None:
    listener = ncat.listen("-v", "--chat")
    client, name = chatting(ncat, listener.port)
    place = f"127.0.0.1:{client.getsockname()[1]}"
    number = re.fullmatch(rb"<user(\d+)>", name)[1].decode()  # type: ignore[index]
    listener.program.wait_for("stderr", f"Ncat: Connection from {place} on file descriptor {number}.\n".encode())


@both
@pytest.mark.parametrize("option", ["--send-only", "--recv-only"])
def test_one_way_only(ncat: Ncat, option: str) -> None:
    listener = ncat.listen("-v", "--broker", option)
    clients = []
    for number in range(2):
        clients.append(ncat.dial(listener.port))
        listener.program.wait_for("stderr", b"(?s)" + b"Connection from.*" * (number + 1))
    clients[0].sendall(b"not passed on")
    assert is_silent(clients[1])
    listener.program.send(b"said")
    if option == "--recv-only":
        assert is_silent(clients[1])
    else:
        assert exactly(clients[1], 4) == b"said"


@ours
def test_client_that_delays_the_others_is_cut_off_and_reported(ncat: Ncat) -> None:
    """ncat itself waits for it, and so does everybody else there."""
    listener = ncat.listen("-v", "--broker")
    stalled, speaker, reader = clients = [ncat.dial(listener.port) for _ in range(3)]
    meet(clients)
    sender = threading.Thread(target=lambda: [speaker.sendall(bytes(1 << 20)) for _ in range(20)])
    sender.start()
    assert len(exactly(reader, 20 << 20)) == 20 << 20
    sender.join(PATIENCE)
    port = stalled.getsockname()[1]
    listener.program.wait_for("stderr", rb"Closed connection from 127\.0\.0\.1:%d: too slow\.\n" % port)


@both
@pytest.mark.parametrize("mode", ["--broker", "--chat"])
def test_crlf_is_for_what_is_typed_and_not_for_what_clients_say(ncat: Ncat, mode: str) -> None:
    listener = ncat.listen("-C", mode)
    first, second = ncat.dial(listener.port), ncat.dial(listener.port)
    meet([first, second])
    first.sendall(b"said\n")
    assert read_until(second, rb"said(\r?)\n")[1] == b""
    listener.program.send(b"typed\n")
    assert read_until(second, rb"typed(\r?)\n")[1] == b"\r"
