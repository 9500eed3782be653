"""Listen mode with -k: many clients on one standard input and output, limits, and ends that end no other."""

from __future__ import annotations

import socket
import struct
import subprocess
import time

import pytest

from compat.ncat.harness import Ncat, both, everything, exactly, is_silent, ours, still_runs
from peers import PATIENCE


def talk(ncat: Ncat, port: int, program, text: bytes) -> socket.socket:  # type: ignore[no-untyped-def]
    """A client that has been heard."""
    client = ncat.dial(port)
    client.sendall(text)
    program.wait_for("stdout", text)
    return client


@both
def test_input_goes_to_all_and_output_comes_from_all(ncat: Ncat) -> None:
    listener = ncat.listen("-k")
    clients = [talk(ncat, listener.port, listener.program, name) for name in (b"<a>", b"<b>", b"<c>")]
    listener.program.send(b"hello")
    for client in clients:
        assert exactly(client, 5) == b"hello"
    assert sorted(listener.program.stdout.split(b">")[:-1]) == [b"<a", b"<b", b"<c"]


@both
@pytest.mark.parametrize("how", ["end", "reset"])
def test_one_clients_end_ends_no_other(ncat: Ncat, how: str) -> None:
    listener = ncat.listen("-k")
    one = talk(ncat, listener.port, listener.program, b"one")
    other = talk(ncat, listener.port, listener.program, b"other")
    if how == "reset":
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
    third = talk(ncat, listener.port, listener.program, b"third")
    listener.program.send(b"still")
    assert exactly(other, 5) == exactly(third, 5) == b"still"


@both
def test_a_client_that_ends_its_half_is_closed(ncat: Ncat) -> None:
    listener = ncat.listen("-k")
    client = talk(ncat, listener.port, listener.program, b"x")
    client.shutdown(socket.SHUT_WR)
    assert everything(client) == b""
    assert still_runs(listener.program, 0.1)


@both
def test_the_end_of_the_input_is_told_to_those_who_are_there(ncat: Ncat) -> None:
    listener = ncat.listen("-k")
    client = talk(ncat, listener.port, listener.program, b"first")
    listener.program.send(b"last words")
    listener.program.close_stdin()
    assert everything(client) == b"last words"
    client.sendall(b"goes on")
    listener.program.wait_for("stdout", b"goes on")
    talk(ncat, listener.port, listener.program, b"second")


@both
def test_without_shutdown_it_is_not_told(ncat: Ncat) -> None:
    listener = ncat.listen("-k", "--no-shutdown")
    client = talk(ncat, listener.port, listener.program, b"first")
    listener.program.close_stdin()
    assert is_silent(client)


@both
def test_the_null_device_as_input_neither_ends_nor_spins(ncat: Ncat) -> None:
    listener = ncat.listen("-k", stdin=subprocess.DEVNULL)
    for text in (b"one", b"two"):
        talk(ncat, listener.port, listener.program, text).close()
    before = cpu_time(listener.program.pid)
    assert still_runs(listener.program, 0.5)
    assert cpu_time(listener.program.pid) - before < 0.2


def cpu_time(pid: int) -> float:
    """Seconds of processor time that a process has used (proc(5), stat)."""
    import os

    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@both
@pytest.mark.parametrize("options", [["-k"], ["-k", "-e", "/bin/cat"], ["--broker"]], ids=" ".join)
def test_one_client_too_many(ncat: Ncat, options: list[str]) -> None:
    listener = ncat.listen("-v", "-m", "1", *options)
    first = ncat.dial(listener.port)
    listener.program.wait_for("stderr", b"Connection from")
    assert everything(ncat.dial(listener.port)) == b""
    listener.program.wait_for("stderr", b"Ncat: New connection denied: connection limit reached \\(1\\)\n")
    first.close()
    # There is room again as soon as the first has gone.
    deadline = time.monotonic() + PATIENCE
    while not is_silent(ncat.dial(listener.port), 0.1):
        assert time.monotonic() < deadline, "there is no room"


@both
def test_a_limit_of_0_lets_nobody_in(ncat: Ncat) -> None:
    listener = ncat.listen("-v", "-k", "-m", "0")
    assert everything(ncat.dial(listener.port)) == b""
    listener.program.wait_for("stderr", b"Ncat: New connection denied: connection limit reached \\(0\\)\n")
    assert still_runs(listener.program, 0.05)


@ours
@pytest.mark.parametrize("options", [["-k"], ["--broker"], ["--chat"]], ids=" ".join)
def test_quitting_a_while_after_the_input(ncat: Ncat, options: list[str]) -> None:
    listener = ncat.listen("-q", "200ms", *options)
    client = ncat.dial(listener.port)
    assert still_runs(listener.program, 0.5)  # the input has not ended
    listener.program.close_stdin()
    assert listener.program.wait() == 2
    assert listener.program.stderr.endswith(b"Ncat: Idle timeout expired (200 ms). QUITTING.\n")
    client.close()


@ours
def test_quitting_at_once_after_the_input(ncat: Ncat) -> None:
    listener = ncat.listen("-q", "0", "-k")
    client = ncat.dial(listener.port)
    listener.program.send(b"all of it")
    listener.program.close_stdin()
    assert everything(client) == b"all of it"
    assert (listener.program.wait(), listener.program.stderr) == (0, b"NCAT TEST: LISTEN\n")


@ours
def test_a_message_for_each_client_in_the_order_they_came(ncat: Ncat) -> None:
    listener = ncat.listen("-vk")
    clients = [ncat.dial(listener.port) for _ in range(5)]
    ports = [client.getsockname()[1] for client in clients]
    listener.program.wait_for("stderr", b"(?s)" + b".*".join(b":%d\\.\n" % port for port in ports))


@ours
def test_line_ends_are_each_clients_own(ncat: Ncat) -> None:
    listener = ncat.listen("-kC")
    client = talk(ncat, listener.port, listener.program, b"a\n")
    listener.program.send(b"b\n")
    assert exactly(client, 3) == b"b\r\n"


@both
def test_a_stalled_handshake_stops_nobody(ncat: Ncat) -> None:
    listener = ncat.listen("-k", "--ssl")
    ncat.dial(listener.port)  # says nothing
    ended = ncat.run("--ssl", "--send-only", "127.0.0.1", listener.port, input=b"through")
    assert ended.code == 0
    listener.program.wait_for("stdout", b"through")


@both
def test_send_only_ends_with_the_input(ncat: Ncat) -> None:
    listener = ncat.listen("-k", "--send-only")
    client = ncat.dial(listener.port)
    client.sendall(b"not heard")
    listener.program.send(b"data")
    assert exactly(client, 4) == b"data"
    listener.program.close_stdin()
    assert listener.program.wait() == 0
    assert listener.program.stdout == b""


@both
def test_receive_only_sends_nothing(ncat: Ncat) -> None:
    listener = ncat.listen("-k", "--recv-only")
    client = talk(ncat, listener.port, listener.program, b"x")
    listener.program.send(b"never")
    assert is_silent(client)
