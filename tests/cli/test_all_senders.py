"""``wirecat listen --keep-open`` with datagrams: all senders at once."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers import PATIENCE, Program, environment, peer, wirecat, wirecat_command
from plain_peers import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")


@contextlib.contextmanager
def senders(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Plain UDP sockets that are connected to the port."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(count):
            sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sender.settimeout(PATIENCE)
            sender.connect(("127.0.0.1", port))
            made.append(sender)
        yield made


def port_of(program: Program, scheme: str = "udp") -> int:
    return int(program.wait_for("stderr", rf"listening on {scheme}://127\.0\.0\.1:(\d+)".encode())[1])


def test_all_senders_are_printed_at_once_and_hear_what_is_typed() -> None:
    with wirecat("listen", "--keep-open", "udp://127.0.0.1:0") as program, senders(port_of(program), 3) as found:
        for turn in range(2):
            for number, sender in enumerate(found):
                sender.send(b"<%d says %d>" % (number, turn))
                program.wait_for("stdout", b"<%d says %d>" % (number, turn))
        program.send(b"to all\n")
        for sender in found:
            assert sender.recv(100) == b"to all\n"
        program.close_stdin()
        found[0].send(b"<after the end of the input>")
        program.wait_for("stdout", b"<after the end of the input>")
        assert program.stderr.count(b" connected\n") == 3
        program.interrupt()
        assert program.wait() == 130


def test_sender_that_has_gone_disturbs_no_other() -> None:
    with wirecat("listen", "--keep-open", "udp://127.0.0.1:0") as program:
        port = port_of(program)
        with senders(port, 1) as (gone,):
            gone.send(b"<gone>")
            program.wait_for("stdout", b"<gone>")
        with senders(port, 1) as (there,):
            there.send(b"<there>")
            program.wait_for("stdout", b"<there>")
            for _ in range(3):
                program.send(b"hello\n")
                assert there.recv(100) == b"hello\n"


def test_silent_sender_is_forgotten() -> None:
    with wirecat("listen", "--keep-open", "udp://127.0.0.1:0?idle=0.2") as program:
        with senders(port_of(program), 1) as (sender,):
            sender.send(b"<once>")
            program.wait_for("stderr", b" is silent\n")
            sender.send(b"<again>")
            program.wait_for("stdout", b"<again>")


def test_output_that_is_not_read_any_more_ends_it() -> None:
    port = free_port()
    command = wirecat_command("listen", "--keep-open", f"udp://127.0.0.1:{port}")
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, env=environment(), **pipes) as program, senders(port, 1) as (sender,):  # type: ignore[call-overload]
        assert b"listening" in program.stderr.readline()
        sender.send(b"first\n")
        assert program.stdout.readline() == b"first\n"
        program.stdout.close()
        sender.send(b"more\n")
        assert program.wait(PATIENCE) == 141
        program.stdin.close()


def test_dtls_senders() -> None:
    pytest.importorskip("OpenSSL")
    with wirecat("listen", "--keep-open", "dtls://127.0.0.1:0") as program:
        port = str(port_of(program, "dtls"))
        with Program([peer("ncat"), "-u", "--ssl", "127.0.0.1", port]) as one:
            with Program([peer("ncat"), "-u", "--ssl", "127.0.0.1", port]) as two:
                for sender, text in ((one, b"<one>"), (two, b"<two>")):
                    sender.send(text)
                    program.wait_for("stdout", text)
                program.send(b"to all\n")
                for sender in (one, two):
                    sender.wait_for("stdout", b"to all\n")


def test_senders_without_name(tmp_path: Path) -> None:
    with wirecat("listen", "--keep-open", f"unixgram://{tmp_path}/log") as program:
        program.wait_for("stderr", b"listening on")
        for text in ("hello", "again"):
            with Program([peer("logger"), "-d", "-u", f"{tmp_path}/log", text]) as logged:
                assert logged.wait() == 0
            program.wait_for("stdout", text.encode())
        program.send(b"answer\n")
        program.wait_for("stderr", b"that peer has no name to send to")
        with Program([peer("logger"), "-d", "-u", f"{tmp_path}/log", "third"]) as logged:
            assert logged.wait() == 0
        program.wait_for("stdout", b"third")
