"""The chat: who said what, line by line, readable and harmless; and, where asked for, exactly as ncat's."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from leaks import nothing_left_behind  # noqa: F401
from peers import Program, peer
from server.clients import PATIENCE, Served, eventually, everything, exactly, reset, serving
from wirecat.connection import Connection
from wirecat.server.handlers import chat as module
from wirecat.server.handlers.chat import Chat, make, octal, readable


def expect(client: socket.socket, said: str | bytes) -> None:
    """The next bytes are these, and all of them."""
    wanted = said.encode() if isinstance(said, str) else said
    assert exactly(client, len(wanted)) == wanted


def nothing_more(client: socket.socket) -> None:
    """Ends its half; then nothing may be left but what is announced of others."""
    client.shutdown(socket.SHUT_WR)
    assert everything(client) == b""


@contextlib.contextmanager
def crowd(count: int, chat: Chat | None = None) -> Iterator[tuple[Served, Chat, list[socket.socket]]]:
    """So many clients, who have read all the announcements."""
    chat = make("") if chat is None else chat
    with serving(chat) as served, contextlib.ExitStack() as stack:
        clients: list[socket.socket] = []
        for number in range(1, count + 1):
            client = stack.enter_context(served.connect())
            come = f"<announce> 127.0.0.1 is connected as <user{number}>.\n"
            expect(client, come)
            names = ", ".join(f"127.0.0.1 as <user{other}>" for other in range(1, number)) or "nobody"
            expect(client, f"<announce> already connected: {names}.\n")
            for other in clients:
                expect(other, come)
            clients.append(client)
        yield served, chat, clients


def test_lines_with_a_name() -> None:
    with crowd(3) as (_, _, (one, two, three)):
        one.sendall(b"hello\n")
        expect(two, "<user1> hello\n")
        expect(three, "<user1> hello\n")
        two.sendall(b"hi\r\nhow are you?\r\n\n")
        for other in (one, three):
            expect(other, "<user2> hi\n<user2> how are you?\n<user2> \n")
        nothing_more(one)
        expect(two, "<announce> <user1> is disconnected.\n")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Grüße, 日本語, żółw €\n".encode(), "Grüße, 日本語, żółw €"),
        (b"\x1b[2J\x1b]0;title\x07\n", r"\x1b[2J\x1b]0;title\x07"),
        (b"\xff\xfe caf\xe9\n", r"\xff\xfe caf\xe9"),
        (b"a\tb\x00c\x7f\n", "a\tb\\x00c\\x7f"),
        (b"over\rwritten\n", r"over\x0dwritten"),
        ("\u202egnp.exe\n".encode(), r"\u202egnp.exe"),
        ("\x85\x9b\n".encode(), r"\x85\x9b"),
        (b"<user1> I am not who you think\n", "<user1> I am not who you think"),
    ],
)
def test_text_is_readable_and_harmless(said: bytes, heard: str) -> None:
    with crowd(2) as (_, _, (one, two)):
        two.sendall(said)
        expect(one, f"<user2> {heard}\n")


def test_any_bytes_leave_the_terminal_alone() -> None:
    with crowd(2) as (_, _, (one, two)):
        two.sendall(os.urandom(20_000).replace(b"\n", b"") + bytes(range(256)) + b"\nend\n")
        heard = b""
        while not heard.endswith(b"end\n"):
            heard += one.recv(1 << 16)
        for line in heard.decode("utf-8").split("\n")[:-1]:
            assert line.startswith("<user2> ")
            assert not {unicodedata.category(letter) for letter in line.replace("\t", "")} & {"Cc", "Cf"}


def test_a_line_that_comes_in_pieces_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE", PATIENCE)
    with crowd(2) as (served, _, (one, two)):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for count, piece in enumerate(["Gr\u00fc\u00dfe\n".encode()[at : at + 1] for at in range(8)], start=1):
            one.sendall(piece)
            eventually(lambda: served.server.connections[0].received == count, "it was read by itself")  # noqa: B023
        expect(two, "<user1> Grüße\n")


def test_what_has_no_end_is_heard_after_a_moment() -> None:
    with crowd(2) as (_, _, (one, two)):
        one.sendall(b"I know no newline")
        expect(two, "<user1> I know no newline\n")
        one.sendall(b"at all")
        expect(two, "<user1> at all\n")
        one.sendall(b"not even at the end")
        one.shutdown(socket.SHUT_WR)
        expect(two, "<user1> not even at the end\n<announce> <user1> is disconnected.\n")


def test_a_line_without_end_is_cut_and_no_character_with_it() -> None:
    with crowd(2) as (_, _, (one, two)):
        text = "x" + "ü" * 20_000 + "\n"
        writer = threading.Thread(target=one.sendall, args=(text.encode(),))
        writer.start()
        heard = b""
        while heard.count("ü".encode()) < 20_000:
            heard += two.recv(1 << 16)
        writer.join(PATIENCE)
        lines = heard.decode().split("\n")
        assert "".join(line.removeprefix("<user1> ") for line in lines) == text.rstrip("\n")
        assert all(line.startswith("<user1> ") and len(line.encode()) <= 8192 + 8 for line in lines[:-1])


@pytest.mark.parametrize("end", [socket.socket.close, reset])
def test_who_leaves_is_announced(end: Any) -> None:
    with crowd(3) as (_, _, (one, two, three)):
        end(two)
        for other in (one, three):
            expect(other, "<announce> <user2> is disconnected.\n")


def test_who_is_thrown_out_is_announced() -> None:
    with crowd(2) as (served, _, (one, two)):
        assert served.server.kick(2)
        assert two.recv(10) == b""
        expect(one, "<announce> <user2> is disconnected.\n")


def test_a_crowd_is_not_listed_whole() -> None:
    with crowd(0) as (served, chat, _), contextlib.ExitStack() as stack:
        for number in range(1, 26):
            stack.enter_context(served.connect())
            eventually(lambda: len(chat.room) == number, "it is there")  # noqa: B023  called at once
        last = stack.enter_context(served.connect())
        expect(
            last, "<announce> 127.0.0.1 is connected as <user26>.\n<announce> already connected: 127.0.0.1 as <user1>, "
        )
        assert last.recv(4096).endswith(b"127.0.0.1 as <user20> and 5 more.\n")


def test_the_server_itself_may_speak() -> None:
    with crowd(2) as (_, chat, clients):
        chat.say(b"the server goes down\x1b\n")
        for client in clients:
            expect(client, "<user0> the server goes down\\x1b\n")


def test_a_unix_socket_has_no_host(tmp_path: Any) -> None:
    with serving("chat", f"unix://{tmp_path}/chat") as _:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(f"{tmp_path}/chat")
            expect(client, "<announce> localhost is connected as <user1>.\n")


def test_octal() -> None:
    assert octal(b"a b~\t\r\n\\") == b"a b~\t\r\n\\"
    assert octal(bytes([0, 0x1B, 0x7F, 0x80, 0xFF])) == b"\\000\\033\\177\\200\\377"
    assert readable(b"\x1b") == b"\\x1b"


def like_ncat() -> Chat:
    def descriptor(connection: Connection) -> int:
        return connection.stream.fileno()

    return Chat(number=descriptor, escape=octal, whole_lines=False, list_to_all=True)


def converse(port: int) -> list[bytes]:
    """The same conversation with whichever server; what each of two clients hears, with numbers made comparable."""
    import re

    clients: list[socket.socket] = []
    heard: list[bytes] = [b"", b""]

    def until(number: int, end: bytes) -> None:
        while not heard[number].endswith(end):
            piece = clients[number].recv(1 << 16)
            assert piece, (number, heard)
            heard[number] += piece

    clients.append(socket.create_connection(("127.0.0.1", port), PATIENCE))
    until(0, b"nobody.\n")
    clients.append(socket.create_connection(("127.0.0.1", port), PATIENCE))
    for number in (0, 1):
        until(number, b"127.0.0.1 as <user%d>.\n" % int(re.findall(rb"user(\d+)", heard[0])[0]))
    for piece in (b"hello\n", b"two\nlines\n", b"no end", bytes(range(256)), "Grüße\r\n".encode()):
        clients[0].sendall(piece)
        until(1, octal(piece))
    clients[0].shutdown(socket.SHUT_WR)
    until(1, b"disconnected.\n")
    assert everything(clients[0]) == b""
    for client in clients:
        client.close()
    numbers = list(dict.fromkeys(re.findall(rb"<user(\d+)>", heard[0])))
    for place, found in enumerate(numbers):
        heard = [text.replace(b"<user%b>" % found, b"<user-%d>" % place) for text in heard]
    return heard


def test_it_can_be_ncats(tmp_path: Any) -> None:
    """The oracle is ncat itself, asked the same."""
    with serving(like_ncat()) as served:
        ours = converse(served.port)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Program([peer("ncat"), "-l", "-v", "--chat", "127.0.0.1", str(port)]) as ncat:
        ncat.wait_for("stderr", rb"Listening on")
        assert converse(port) == ours
