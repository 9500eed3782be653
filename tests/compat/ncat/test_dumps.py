"""What -o and -x write."""

from __future__ import annotations

import socket

import pytest

from compat.ncat.harness import Ncat, both, exactly, ours

SENT = bytes(range(40))
HEX = (
    "0000   00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................\n"
    "0010   10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  ................\n"
    "0020   20 21 22 23 24 25 26 27                           .!\"#$%&'        \n"
    "0000   72 65 70 6c 79 20                                 reply.          \n"
)


def exchange(ncat: Ncat, *options: object) -> None:
    server = ncat.plain()
    program = ncat.start(*options, "127.0.0.1", server.port)
    peer = server.accept()
    program.send(SENT)
    assert exactly(peer, len(SENT)) == SENT
    peer.sendall(b"reply ")
    program.wait_for("stdout", b"reply ")
    peer.close()
    program.close_stdin()
    assert program.wait() == 0


@both
@pytest.mark.parametrize("option", ["-o", "--output"])
def test_raw(ncat: Ncat, option: str) -> None:
    exchange(ncat, option, ncat.folder / "raw")
    assert (ncat.folder / "raw").read_bytes() == SENT + b"reply "


@both
@pytest.mark.parametrize("option", ["-x", "--hex-dump"])
def test_hex(ncat: Ncat, option: str) -> None:
    exchange(ncat, option, ncat.folder / "hex")
    assert (ncat.folder / "hex").read_text() == HEX


@both
def test_both_at_once_and_what_was_there_is_gone(ncat: Ncat) -> None:
    for name in ("raw", "hex"):
        (ncat.folder / name).write_text("before")
    exchange(ncat, "-o", ncat.folder / "raw", "-x", ncat.folder / "hex")
    assert (ncat.folder / "raw").read_bytes() == SENT + b"reply "
    assert (ncat.folder / "hex").read_text() == HEX


@both
def test_appended(ncat: Ncat) -> None:
    for name in ("raw", "hex"):
        (ncat.folder / name).write_text("before\n")
    exchange(ncat, "--append-output", "-o", ncat.folder / "raw", "-x", ncat.folder / "hex")
    assert (ncat.folder / "raw").read_bytes() == b"before\n" + SENT + b"reply "
    assert (ncat.folder / "hex").read_text() == "before\n" + HEX


@ours
@pytest.mark.parametrize("keep", [False, True])
def test_of_a_listener(ncat: Ncat, keep: bool) -> None:
    listener = ncat.listen(*["-k"] * keep, "-o", ncat.folder / "raw")
    client = ncat.dial(listener.port)
    client.sendall(b"in")
    listener.program.wait_for("stdout", b"in")
    listener.program.send(b"out")
    assert exactly(client, 3) == b"out"
    assert (ncat.folder / "raw").read_bytes() == b"inout"


@ours
def test_of_a_program(ncat: Ncat) -> None:
    listener = ncat.listen("-e", "/bin/cat", "-o", ncat.folder / "raw")
    client = ncat.dial(listener.port)
    client.sendall(b"in")
    assert exactly(client, 2) == b"in"
    assert (ncat.folder / "raw").read_bytes() == b"inin"


@ours
def test_a_recording_that_could_not_be_kept_is_said(ncat: Ncat) -> None:
    listener = ncat.listen("--record", "/dev/full")
    client = ncat.dial(listener.port)
    client.sendall(b"in")
    client.shutdown(socket.SHUT_WR)
    listener.program.close_stdin()
    assert listener.program.wait() == 0
    assert listener.program.stdout == b"in"
    assert (
        b"Ncat: /dev/full: 2 bytes in 1 pieces were not recorded (No space left on device)" in listener.program.stderr
    )


@both
def test_with_translated_line_ends(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-C", "-o", ncat.folder / "raw", "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"a\n")
    assert exactly(peer, 3) == b"a\r\n"
    assert (ncat.folder / "raw").read_bytes() in (b"a\r\n", b"a\n")


@both
def test_of_datagrams(ncat: Ncat) -> None:
    server = ncat.plain_datagrams()
    program = ncat.start("-u", "-x", ncat.folder / "hex", "127.0.0.1", server.getsockname()[1])
    program.send(b"one")
    _, place = server.recvfrom(10)
    server.sendto(b"two", place)
    program.wait_for("stdout", b"two")
    assert (ncat.folder / "hex").read_text().splitlines()[0].startswith("0000   6f 6e 65 ")


@ours
def test_of_what_tls_carries(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl", "-o", ncat.folder / "raw")
    assert ncat.run("--ssl", "127.0.0.1", listener.port, input=b"plain").code == 0
    assert listener.program.wait() == 0
    assert (ncat.folder / "raw").read_bytes() == b"plain"
