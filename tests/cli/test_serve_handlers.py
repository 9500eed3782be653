"""``wirecat serve`` with the handlers that do more than answer: what is opened to others, and what is not."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path

import pytest

from peers import wirecat

PATIENCE = 15.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["exec:cat", ":0"],
            r"exec runs a program for whoever connects, and :0 can be reached by others\. Say who may: ",
        ),
        (["exec:cat", "0", "--lan"], r"exec runs a program .*--allow-anyone\.$"),
        (["exec:cat", "0.0.0.0:0"], "exec runs a program "),
        (["exec:cat", "[::]:0"], "exec runs a program "),
        (["exec:cat", "tls://:0"], "exec runs a program "),
        (["exec:cat", "udp://:0"], "exec runs a program "),
        (["exec:cat", ":0", "--deny", "10.0.0.1"], "exec runs a program "),
        (
            ["proxy", ":0"],
            r"proxy lets whoever connects go on from here, .*; or write proxy:@FILE, with USER:PASSWORD in FILE\.$",
        ),
        (
            ["proxy:anna", "0"],
            r"the handler 'proxy' takes a user name and a password\. Write: proxy:@FILE or proxy:USER:PASSWORD",
        ),
        (["exec", "0"], "the handler 'exec' needs :COMMAND"),
        (["chat:x", "0"], "the handler 'chat' takes no argument"),
        (["chat", "0", "--engine", "async"], "the handler 'chat' is one that takes a thread for every client"),
        (["broker", "0", "--framing", "line"], "--framing is for responders; 'broker' frames by itself"),
        (["chat", "udp://127.0.0.1:0"], r"udp://127\.0\.0\.1:0: chat is not for datagrams: "),
        (["echo", "0", "--udp-replies", "5"], r"0: udp_replies is for datagrams\. Write udp://, or leave it out\."),
        (
            ["echo", "udp://0", "--udp-replies", "0"],
            "serve: --udp-replies: 0 is less than 1",
        ),
        (["echo", "udp://0", "--udp-replies", "many"], ".*--udp-replies"),
        (["echo", "udp://127.0.0.1:0", "--engine", "async"], ".*datagrams are served by threads"),
        (["echo", "tls://127.0.0.1:0?cert=/no/such"], "certificate /no/such: No such file"),
        (["echo", "0", "--allowfile", "/no/such"], "cannot read /no/such: No such file"),
        (["echo", "0", "--allow", "10.0.5-1.*"], r"'10\.0\.5-1\.\*': '5-1' is no range"),
    ],
)
def test_it_is_refused_before_it_listens(words: list[str], said: str) -> None:
    with wirecat("serve", *words) as program:
        assert program.wait() == 2
        (line,) = program.stderr.decode().splitlines()
        assert re.match(f"wirecat: {said}", line), line


def port_of(program: object) -> int:
    found = program.wait_for("stderr", rb"listening on (?:port |\S*:)(\d+)")  # type: ignore[attr-defined]
    return int(found[1])


@pytest.mark.parametrize(
    "words",
    [
        ["exec:cat", "0.0.0.0:0", "--allow", "127.0.0.0/8"],
        ["exec:cat", "0.0.0.0:0", "--allow-anyone"],
        ["exec:cat", "127.0.0.1:0"],
    ],
)
def test_with_a_word_more_it_is_opened(words: list[str]) -> None:
    with wirecat("serve", *words) as program:
        with socket.create_connection(("127.0.0.1", port_of(program)), PATIENCE) as client:
            client.sendall(b"heard")
            assert client.recv(10) == b"heard"


def test_a_proxy_that_asks_who_is_there_is_opened_to_others() -> None:
    with wirecat("serve", "proxy:anna:geheim", "0.0.0.0:0") as program:
        with socket.create_connection(("127.0.0.1", port_of(program)), PATIENCE) as client:
            client.sendall(b"GET http://h/ HTTP/1.1\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 407 ")


def test_the_password_of_a_proxy_is_not_told() -> None:
    with wirecat("serve", "proxy:anna:geheim", "127.0.0.1:0", "-v") as program:
        with socket.create_connection(("127.0.0.1", port_of(program)), PATIENCE) as client:
            client.sendall(b"nonsense\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 400 ")
        program.wait_for("stderr", rb"#1 .* closed ")
        program.interrupt()
        assert program.wait() == 0
        assert b"geheim" not in program.stderr + program.stdout


def test_who_may_come_in_is_read_from_files(tmp_path: Path) -> None:
    allowed, denied = tmp_path / "allowed", tmp_path / "denied"
    allowed.write_text("# this PC\n127.0.0-3.*  ::1\n")
    denied.write_text("127.0.0.2  # but not this one\n")
    with wirecat("serve", "echo", "127.0.0.1:0", "--allowfile", str(allowed), "--denyfile", str(denied)) as program:
        port = port_of(program)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        with socket.create_connection(("127.0.0.1", port), PATIENCE, ("127.0.0.2", 0)) as client:
            program.wait_for("stderr", rb"127\.0\.0\.2:\d+ denied: not allowed\n")
            assert client.recv(1) == b""


def test_a_client_that_holds_up_the_others_is_told_as_too_slow() -> None:
    with wirecat("serve", "broker", "127.0.0.1:0") as program:
        where = ("127.0.0.1", port_of(program))
        slow = socket.create_connection(where, PATIENCE)
        with slow, socket.create_connection(where, PATIENCE) as one, socket.create_connection(where, PATIENCE) as two:
            program.wait_for("stderr", rb"\(3 open\)")
            two.settimeout(0.1)
            for _ in range(100):  # until the third's thread has begun to listen for the others
                one.sendall(b".")
                with contextlib.suppress(TimeoutError):
                    assert two.recv(1)
                    break
            two.settimeout(PATIENCE)
            for _ in range(16):
                one.sendall(b"x" * (1 << 20))
                left = 1 << 20
                while left:
                    left -= two.recv(left).count(b"x")
            program.wait_for("stderr", rb"#1 .* closed by the server \(too slow\)")


def test_withheld_replies_are_logged() -> None:
    with wirecat("serve", "echo", "udp://127.0.0.1:0", "--udp-replies", "3") as server:
        port = int(server.wait_for("stderr", rb"listening on udp://127\.0\.0\.1:(\d+)")[1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", port))
            for _ in range(20):
                client.send(b"x")
            assert client.recv(10) == b"x"
            where = f"udp://127.0.0.1:{client.getsockname()[1]}"
        told = rf"{where} (\d+) answers? withheld \((\d+) B\): beyond --udp-replies 3\n"
        found = server.wait_for("stderr", told.encode())
        assert found[1] == found[2]


def test_replies_without_limit() -> None:
    with wirecat("serve", "echo", "udp://127.0.0.1:0", "--udp-replies", "none") as server:
        port = int(server.wait_for("stderr", rb"listening on udp://127\.0\.0\.1:(\d+)")[1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", port))
            for number in range(3000):
                client.send(b"%d" % number)
                assert client.recv(10) == b"%d" % number
