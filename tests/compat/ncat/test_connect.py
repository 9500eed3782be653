"""Connect mode over TCP: end of file, half-close, exit codes, messages, and the options that change them."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from compat.ncat.harness import Ncat, both, everything, exactly, is_silent, ours, still_runs
from peers import PATIENCE
from plain_peers import silent

COUNTS = r"Ncat: (\d+) bytes sent, (\d+) bytes received in \d+\.\d\d seconds\.\n"


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@both
def test_the_end_of_the_input_is_told_and_the_answer_waited_for(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"question")
    program.close_stdin()
    assert everything(peer) == b"question"
    assert still_runs(program)
    peer.sendall(b"answer")
    peer.close()
    assert (program.wait(), program.stdout, program.stderr) == (0, b"answer", b"")


@ours
def test_the_peers_end_ends_it_at_once(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("127.0.0.1", server.port)
    peer = server.accept()
    peer.sendall(b"bye")
    peer.close()
    assert (program.wait(), program.stdout) == (0, b"bye")


@ours
def test_keep_open_stays_until_the_input_ends(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-k", "127.0.0.1", server.port)
    peer = server.accept()
    peer.sendall(b"bye")
    peer.shutdown(socket.SHUT_WR)
    program.wait_for("stdout", b"bye")
    assert still_runs(program)
    program.send(b"more")
    program.close_stdin()
    assert everything(peer) == b"more"
    assert program.wait() == 0


@ours
@pytest.mark.parametrize("options", [[], ["--no-shutdown"], ["-C"]], ids=str)
def test_keep_open_closes_the_output_at_the_peers_end(ncat: Ncat, options: list[str]) -> None:
    """What reads behind a pipe must not wait for the end of the input."""
    server = ncat.plain()
    shown, output = os.pipe()
    with open(shown, "rb") as reader:
        program = ncat.start("-k", *options, "127.0.0.1", server.port, stdout=output)
        os.close(output)
        peer = server.accept()
        peer.sendall(b"bye")
        peer.shutdown(socket.SHUT_WR)
        assert reader.read() == b"bye"
    assert still_runs(program, 0.05)
    program.send(b"more")
    program.close_stdin()
    assert everything(peer) == b"more"
    assert program.wait() == 0


@both
def test_without_shutdown_the_end_is_not_told(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("--no-shutdown", "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"a")
    program.close_stdin()
    assert exactly(peer, 1) == b"a"
    assert is_silent(peer)
    peer.sendall(b"b")
    peer.close()
    assert (program.wait(), program.stdout) == (0, b"b")


@both
def test_send_only_quits_at_the_end_of_the_input(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("--send-only", "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"abc")
    assert exactly(peer, 3) == b"abc"
    program.close_stdin()
    assert everything(peer) == b""
    assert (program.wait(), program.stdout) == (0, b"")


@both
def test_send_only_receives_nothing(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("--send-only", "127.0.0.1", server.port)
    peer = server.accept()
    peer.sendall(b"ignored")
    program.send(b"abc")
    assert exactly(peer, 3) == b"abc"
    program.close_stdin()
    assert (program.wait(), program.stdout) == (0, b"")


@both
def test_receive_only_sends_nothing(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("--recv-only", "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"never sent")
    program.close_stdin()
    assert is_silent(peer)
    peer.sendall(b"data")
    peer.close()
    assert (program.wait(), program.stdout) == (0, b"data")


@both
def test_no_input_at_all(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("127.0.0.1", server.port, stdin=subprocess.DEVNULL)
    peer = server.accept()
    assert everything(peer) == b""
    peer.sendall(b"data")
    peer.close()
    assert (program.wait(), program.stdout) == (0, b"data")


@both
@pytest.mark.parametrize("size", [0, 1, 65536, 3_000_001])
def test_all_of_it_arrives_both_ways(ncat: Ncat, size: int) -> None:
    server = ncat.plain()
    program = ncat.start("127.0.0.1", server.port)
    peer = server.accept()
    data = bytes(index & 255 for index in range(65536)) * (size // 65536 + 1)
    sending = threading.Thread(target=lambda: (program.send(data[:size]), program.close_stdin()))
    sending.start()
    assert everything(peer) == data[:size]
    sending.join()
    peer.sendall(data[:size])
    peer.close()
    assert program.wait() == 0
    assert program.stdout == data[:size]


@both
def test_what_verbose_says(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-v", "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"1234567")
    program.close_stdin()
    assert everything(peer) == b"1234567"
    peer.sendall(b"12345")
    peer.close()
    assert program.wait() == 0
    told = program.stderr.decode().splitlines(keepends=True)
    assert told[1] == f"Ncat: Connected to 127.0.0.1:{server.port}.\n"
    counts = re.fullmatch(COUNTS, told[2])
    assert counts and counts.groups() == ("7", "5")
    assert len(told) == 3


@ours
def test_an_ipv6_address_is_told_in_brackets(ncat: Ncat) -> None:
    server = ncat.plain("::1")
    ended = ncat.start("-zv", "::1", server.port)
    assert ended.wait() == 0
    assert f"Ncat: Connected to [::1]:{server.port}.\n".encode() in ended.stderr


@both
@pytest.mark.parametrize("verbose", [False, True])
def test_a_reset_is_an_error(ncat: Ncat, verbose: bool) -> None:
    server = ncat.plain()
    program = ncat.start(*["-v"] * verbose, "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"a")
    assert exactly(peer, 1) == b"a"
    reset(peer)
    assert program.wait() == 1
    assert program.stderr.endswith(b"Ncat: Connection reset by peer.\n")
    assert b"bytes sent" not in program.stderr


@both
@pytest.mark.parametrize(("time", "told"), [("300ms", 300), ("0.2", 200), ("0.3s", 300)])
def test_idle_timeout(ncat: Ncat, time: str, told: int) -> None:
    server = ncat.plain()
    program = ncat.start("-i", time, "127.0.0.1", server.port)
    server.accept()
    assert program.wait() == 1
    assert program.stderr == f"Ncat: Idle timeout expired ({told} ms).\n".encode()


@ours
def test_traffic_keeps_the_idle_timeout_away(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-i", "400ms", "127.0.0.1", server.port)
    peer = server.accept()
    for _ in range(4):
        assert still_runs(program, 0.2)
        peer.sendall(b"x")
    peer.close()
    program.close_stdin()
    assert (program.wait(), program.stdout) == (0, b"xxxx")


@ours
def test_quitting_a_while_after_the_input(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-q", "300ms", "127.0.0.1", server.port)
    peer = server.accept()
    assert still_runs(program, 0.5)
    program.close_stdin()
    assert everything(peer) == b""
    assert program.wait() == 1
    assert program.stderr == b"Ncat: Idle timeout expired (300 ms).\n"


@ours
@pytest.mark.parametrize("role", ["connect", "listen", "listen -k"])
def test_q_is_one_time_from_the_end_of_the_input(ncat: Ncat, role: str) -> None:
    """It does not begin again with each byte."""
    if role == "connect":
        server = ncat.plain()
        program = ncat.start("-q", "700ms", "127.0.0.1", server.port)
        client = server.accept()
    else:
        listener = ncat.listen("-q", "700ms", *role.split()[1:])
        program, client = listener.program, ncat.dial(listener.port)
    client.sendall(b"x")
    program.wait_for("stdout", b"x")
    program.close_stdin()
    started = time.monotonic()
    while still_runs(program, 0.1) and time.monotonic() - started < PATIENCE:
        try:
            client.sendall(b"more")
        except OSError:
            break  # it has ended meanwhile
    assert program.wait() == (1 if role == "connect" else 2)
    assert 0.5 < time.monotonic() - started < 10
    assert b"Idle timeout expired (700 ms)." in program.stderr


@ours
def test_quitting_at_once_after_the_input(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-q", "0", "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"abc")
    program.close_stdin()
    assert (program.wait(), program.stderr) == (0, b"")
    assert everything(peer) == b"abc"


@both
def test_line_ends_are_translated_on_what_is_sent(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-C", "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"a\nb\r\nc\r")
    assert exactly(peer, 8) == b"a\r\nb\r\nc\r"
    program.send(b"\n\nd")
    assert exactly(peer, 4) == b"\n\r\nd"
    peer.sendall(b"q\nr\r\n")
    peer.close()
    program.close_stdin()
    assert (program.wait(), program.stdout) == (0, b"q\nr\r\n")


@both
def test_each_piece_waits(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-d", "400ms", "127.0.0.1", server.port)
    peer = server.accept()
    program.send(b"a")
    assert is_silent(peer, 0.25)
    assert exactly(peer, 1) == b"a"


@ours
def test_telnet_options_are_refused_and_taken_out(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-t", "127.0.0.1", server.port)
    peer = server.accept()
    peer.sendall(b"ab\xff\xfd\x18c\xff")
    assert exactly(peer, 3) == b"\xff\xfc\x18"
    peer.sendall(b"\xfb\x01d\xff\xff")
    assert exactly(peer, 3) == b"\xff\xfe\x01"
    peer.close()
    assert program.wait() == 0
    assert program.stdout == b"abcd\xff"


@both
def test_where_it_goes_out_from(ncat: Ncat) -> None:
    server = ncat.plain()
    with socket.socket() as probe:
        probe.bind(("127.0.0.9", 0))
        port = probe.getsockname()[1]
    ncat.start("-s", "127.0.0.9", "-p", port, "127.0.0.1", server.port)
    accepted, place = server.socket.accept()
    accepted.close()
    assert place == ("127.0.0.9", port)


@both
def test_the_time_for_connecting(ncat: Ncat) -> None:
    with silent() as port:
        ended = ncat.run("-w", "300ms", "127.0.0.1", port)
    assert (ended.code, ended.err) == (1, "Ncat: TIMEOUT.\n")


@both
def test_an_open_port(ncat: Ncat) -> None:
    server = ncat.plain()
    ended = ncat.run("-z", "127.0.0.1", server.port)
    assert (ended.code, ended.out, ended.err) == (0, b"", "")
    assert everything(server.accept()) == b""


@both
def test_an_open_port_told(ncat: Ncat) -> None:
    server = ncat.plain()
    ended = ncat.run("-zv", "127.0.0.1", server.port)
    assert ended.code == 0
    assert f"Ncat: Connected to 127.0.0.1:{server.port}.\n" in ended.err
    assert re.search(COUNTS, ended.err)


@both
def test_a_closed_port_told(ncat: Ncat) -> None:
    ended = ncat.run("-zv", "127.0.0.1", "1")
    assert ended.code == 1
    assert ended.err.endswith("Ncat: Connection refused.\n")


@both
def test_numbers_need_no_name_server(ncat: Ncat) -> None:
    server = ncat.plain()
    assert ncat.run("-nz", "127.0.0.1", server.port).code == 0


@both
@pytest.mark.parametrize(("option", "host"), [("-4", "127.0.0.1"), ("-6", "::1")])
def test_one_family(ncat: Ncat, option: str, host: str) -> None:
    server = ncat.plain(host)
    assert ncat.run("-z", option, host, server.port).code == 0


@both
def test_the_default_port(ncat: Ncat) -> None:
    ended = ncat.run("-zv", "127.0.0.1")
    assert ":31337." in ended.err or "refused" in ended.err


@ours
def test_source_routes_reach_the_kernel(ncat: Ncat) -> None:
    """Loopback drops such packets, so the attempt ends in silence; without the option the port is open."""
    server = ncat.plain()
    assert ncat.run("-z", "127.0.0.1", server.port).code == 0
    ended = ncat.run("-w", "300ms", "-g", "127.0.0.1", "127.0.0.1", server.port)
    assert (ended.code, ended.err) == (1, "Ncat: TIMEOUT.\n")


@ours
def test_a_pointer_that_the_kernel_refuses(ncat: Ncat) -> None:
    server = ncat.plain()
    ended = ncat.run("-g", "127.0.0.1", "-G", "8", "127.0.0.1", server.port)
    assert (ended.code, ended.err) == (2, "Ncat: Invalid argument. QUITTING.\n")


#: The program, to which a host has an IPv6 address and an IPv4 address.
TWO_ADDRESSES = (
    "import sys; import wirecat.cli.ncat.opening as opening; opening.resolved = lambda *_, **__: ['::1', '127.0.0.1'];"
    "from wirecat.__main__ import main; sys.exit(main())"
)


@ours
def test_the_next_address_is_tried(ncat: Ncat) -> None:
    ncat.command = [sys.executable, "-c", TWO_ADDRESSES, "ncat"]
    server = ncat.plain()
    ended = ncat.run("-zv", "two.test", server.port)
    assert ended.code == 0
    assert ended.err.splitlines()[1:4] == [
        "Ncat: Connection to ::1 failed: Connection refused.",
        "Ncat: Trying next address...",
        f"Ncat: Connected to 127.0.0.1:{server.port}.",
    ]
    assert ncat.run("-z", "two.test", server.port).err == ""


@ours
def test_the_last_address_says_why(ncat: Ncat) -> None:
    ncat.command = [sys.executable, "-c", TWO_ADDRESSES, "ncat"]
    ended = ncat.run("-v", "two.test", "1")
    assert ended.code == 1
    assert ended.err.splitlines()[1:] == [
        "Ncat: Connection to ::1 failed: Connection refused.",
        "Ncat: Trying next address...",
        "Ncat: Connection refused.",
    ]


@ours
def test_debug_lines_come_with_the_second_v(ncat: Ncat) -> None:
    server = ncat.plain()
    assert "NCAT DEBUG: " not in ncat.run("-zv", "127.0.0.1", server.port).err
    assert "NCAT DEBUG: " in ncat.run("-zvv", "127.0.0.1", server.port).err


@both
def test_an_output_that_nobody_reads(ncat: Ncat) -> None:
    server = ncat.plain()
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as output:
        program = ncat.start("127.0.0.1", server.port, stdout=output)
    os.close(reading)
    peer = server.accept()
    program.send(b"goes on")
    assert exactly(peer, 7) == b"goes on"  # as long as there is nothing for the output
    peer.sendall(b"x")
    assert program.wait() == 2
    if ncat.is_ours:
        assert program.stderr.startswith(b"Ncat: standard output was closed early")


@ours
def test_a_signal_ends_a_client_as_any_program(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-v", "127.0.0.1", server.port)
    server.accept()
    program.wait_for("stderr", b"Connected")
    program.signal(signal.SIGTERM)
    assert program.wait() == -signal.SIGTERM
    assert b"Traceback" not in program.stderr
