"""Listen mode with one client: who gets in, what ends it, what it says."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess

import pytest

from compat.ncat.harness import Ncat, both, everything, exactly, free_port, is_silent, ours, still_runs


@both
def test_a_client_ends_it_with_its_half(ncat: Ncat) -> None:
    listener = ncat.listen()
    client = ncat.dial(listener.port)
    client.sendall(b"hi\n")
    listener.program.wait_for("stdout", b"hi\n")
    listener.program.send(b"yo\n")
    assert exactly(client, 3) == b"yo\n"
    client.shutdown(socket.SHUT_WR)
    assert listener.program.wait() == 0
    assert everything(client) == b""


@both
def test_the_end_of_the_input_is_told_and_receiving_goes_on(ncat: Ncat) -> None:
    listener = ncat.listen()
    client = ncat.dial(listener.port)
    listener.program.send(b"yo")
    listener.program.close_stdin()
    assert everything(client) == b"yo"
    assert still_runs(listener.program)
    client.sendall(b"late")
    client.close()
    assert (listener.program.wait(), listener.program.stdout) == (0, b"late")


@both
def test_input_waits_for_the_client(ncat: Ncat) -> None:
    listener = ncat.listen()
    listener.program.send(b"early")
    listener.program.close_stdin()
    client = ncat.dial(listener.port)
    assert everything(client) == b"early"
    client.close()
    assert listener.program.wait() == 0


@both
def test_the_null_device_as_input(ncat: Ncat) -> None:
    listener = ncat.listen(stdin=subprocess.DEVNULL)
    assert still_runs(listener.program)
    client = ncat.dial(listener.port)
    client.sendall(b"data")
    client.close()
    assert (listener.program.wait(), listener.program.stdout) == (0, b"data")


@both
def test_nobody_else_gets_in(ncat: Ncat) -> None:
    listener = ncat.listen()
    client = ncat.dial(listener.port)
    client.sendall(b"x")
    listener.program.wait_for("stdout", b"x")
    with pytest.raises(ConnectionRefusedError):
        ncat.dial(listener.port)


@both
def test_a_reset_ends_it_with_1(ncat: Ncat) -> None:
    listener = ncat.listen()
    client = ncat.dial(listener.port)
    client.sendall(b"x")
    listener.program.wait_for("stdout", b"x")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    assert listener.program.wait() == 1
    assert listener.program.stderr == b"NCAT TEST: LISTEN\n"


@both
def test_send_only(ncat: Ncat) -> None:
    listener = ncat.listen("--send-only")
    client = ncat.dial(listener.port)
    listener.program.send(b"data")
    assert exactly(client, 4) == b"data"
    listener.program.close_stdin()
    assert listener.program.wait() == 0


@both
def test_receive_only(ncat: Ncat) -> None:
    listener = ncat.listen("--recv-only")
    client = ncat.dial(listener.port)
    listener.program.send(b"never")
    client.sendall(b"x")
    assert is_silent(client)
    client.close()
    assert (listener.program.wait(), listener.program.stdout) == (0, b"x")


@ours
def test_receive_only_never_ends_its_half(ncat: Ncat) -> None:
    listener = ncat.listen("--recv-only")
    client = ncat.dial(listener.port)
    listener.program.close_stdin()
    assert is_silent(client)
    client.sendall(b"all the same")
    client.close()
    assert (listener.program.wait(), listener.program.stdout) == (0, b"all the same")


@both
def test_without_shutdown(ncat: Ncat) -> None:
    listener = ncat.listen("--no-shutdown")
    client = ncat.dial(listener.port)
    listener.program.send(b"a")
    listener.program.close_stdin()
    assert exactly(client, 1) == b"a"
    assert is_silent(client)


@both
@pytest.mark.parametrize("keep", [False, True])
def test_idle_timeout(ncat: Ncat, keep: bool) -> None:
    listener = ncat.listen("-i", "300ms", *["-k"] * keep)
    assert still_runs(listener.program, 0.5)  # nobody is there to be idle
    ncat.dial(listener.port)
    assert listener.program.wait() == 2
    assert listener.program.stderr.endswith(b"Ncat: Idle timeout expired (300 ms). QUITTING.\n")


@ours
def test_quitting_a_while_after_the_input(ncat: Ncat) -> None:
    listener = ncat.listen("-q", "200ms")
    ncat.dial(listener.port)
    listener.program.close_stdin()
    assert listener.program.wait() == 2
    assert listener.program.stderr.endswith(b"Ncat: Idle timeout expired (200 ms). QUITTING.\n")


@ours
def test_what_verbose_says(ncat: Ncat) -> None:
    listener = ncat.listen_everywhere("-v")
    client = ncat.dial(listener.port)
    name = f"127.0.0.1:{client.getsockname()[1]}"
    client.close()
    assert listener.program.wait() == 0
    told = listener.program.stderr.decode().replace("NCAT TEST: LISTEN\n", "").splitlines()
    assert told[1:] == [
        f"Ncat: Listening on [::]:{listener.port}",
        f"Ncat: Listening on 0.0.0.0:{listener.port}",
        f"Ncat: Connection from {name}.",
    ]


@both
def test_both_families(ncat: Ncat) -> None:
    listener = ncat.listen_everywhere("-k")
    for host in ("127.0.0.1", "::1"):
        client = ncat.dial(listener.port, host)
        client.sendall(host.encode() + b"\n")
        listener.program.wait_for("stdout", host.encode() + b"\n")


@both
@pytest.mark.parametrize(("option", "host"), [("-4", "0.0.0.0"), ("-6", "::")])
def test_one_family(ncat: Ncat, option: str, host: str) -> None:
    port = free_port()
    program = ncat.start("-vl", "--test", option, port)
    program.wait_for("stderr", b"NCAT TEST: LISTEN\n")
    other = "127.0.0.1" if option == "-6" else "::1"
    with pytest.raises(ConnectionRefusedError):
        ncat.dial(port, other)
    ncat.dial(port, "::1" if option == "-6" else "127.0.0.1")


@ours
def test_the_port_behind_p(ncat: Ncat) -> None:
    port = free_port()
    program = ncat.start("--test", "-l", "-p", port, "127.0.0.1")
    program.wait_for("stderr", b"NCAT TEST: LISTEN\n")
    ncat.dial(port).close()
    assert program.wait() == 0


@both
def test_a_port_that_is_taken(ncat: Ncat) -> None:
    server = ncat.plain()
    ended = ncat.run("-l", "127.0.0.1", server.port)
    assert ended.code == 2
    assert ended.err == f"Ncat: bind to 127.0.0.1:{server.port}: Address already in use. QUITTING.\n"


@ours
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("options", [[], ["-k"], ["--broker"]])
def test_signals(ncat: Ncat, number: int, code: int, options: list[str]) -> None:
    # The signal may come in the middle of anything, and what is half made then goes with the process.
    listener = ncat.listen(*options, env={"PYTHONWARNINGS": None})
    listener.program.signal(number)
    assert listener.program.wait() == code
    assert listener.program.stderr == b"NCAT TEST: LISTEN\n"


@ours
def test_a_signal_in_the_middle_of_a_conversation(ncat: Ncat) -> None:
    listener = ncat.listen()
    client = ncat.dial(listener.port)
    client.sendall(b"x")
    listener.program.wait_for("stdout", b"x")
    listener.program.signal(signal.SIGTERM)
    assert listener.program.wait() == 143
    assert listener.program.stderr == b"NCAT TEST: LISTEN\n"


@both
def test_hosts_that_are_allowed(ncat: Ncat) -> None:
    listener = ncat.listen("--allow", "10.0.0-3.*,127.0.0.1")
    client = ncat.dial(listener.port)
    client.sendall(b"in")
    client.close()
    assert (listener.program.wait(), listener.program.stdout) == (0, b"in")


@pytest.mark.parametrize(
    "options",
    [
        ["--deny", "127.0.0.1"],
        ["--deny", "127.0.0.0/8"],
        ["--deny", "127.0.0-3.*"],
        ["--deny", "10.0.0.1", "--deny", "127.0.0.1"],
        ["--allow", "10.0.0.1"],
        ["--allow", "127.0.0.2-9"],
        ["--allow", "127.0.0.1", "--deny", "127.0.0.1"],
        ["--deny", "localhost"],
    ],
    ids=" ".join,
)
@both
def test_hosts_that_are_not(ncat: Ncat, options: list[str]) -> None:
    listener = ncat.listen("-vk", *options)
    client = ncat.dial(listener.port)
    assert everything(client) == b""
    listener.program.wait_for("stderr", b"Ncat: Connection from 127.0.0.1:?[0-9]*.\n")
    listener.program.wait_for("stderr", b"Ncat: New connection denied: not allowed\n")
    assert still_runs(listener.program, 0.05)


@ours
def test_a_client_that_is_denied_ends_it_all_the_same(ncat: Ncat) -> None:
    listener = ncat.listen("--deny", "127.0.0.1")
    assert everything(ncat.dial(listener.port)) == b""
    assert listener.program.wait() == 0
    assert listener.program.stderr == b"NCAT TEST: LISTEN\n"


@pytest.mark.parametrize(
    "text", ["10.0.0.1\n127.0.0.1\n", "10.0.0.1 127.0.0.1", "10.0.0.1 # one\n\n# two\n127.0.0.0/8\n"]
)
@pytest.mark.parametrize("kind", ["allow", "deny"])
@ours
def test_hosts_in_a_file(ncat: Ncat, kind: str, text: str) -> None:
    (ncat.folder / "hosts").write_text(text)
    listener = ncat.listen("-v", f"--{kind}file", ncat.folder / "hosts")
    client = ncat.dial(listener.port)
    client.sendall(b"in")
    client.close()
    assert listener.program.wait() in (0, 1)
    assert (b"denied" in listener.program.stderr) is (kind == "deny")
    assert listener.program.stdout == (b"in" if kind == "allow" else b"")


@both
@pytest.mark.parametrize(("second", "let_in"), [("127.0.0.1", True), ("10.0.0.2", False)])
def test_files_of_hosts_add_up(ncat: Ncat, second: str, let_in: bool) -> None:
    (ncat.folder / "one").write_text("10.0.0.1\n")
    (ncat.folder / "other").write_text(f"{second}\n")
    listener = ncat.listen("-vk", "--allowfile", "other", "--allowfile", "one")
    client = ncat.dial(listener.port)
    if let_in:
        client.sendall(b"in")
        listener.program.wait_for("stdout", b"in")
    else:
        assert everything(client) == b""


@ours
@pytest.mark.parametrize("text", ["10.0.0.1\n", "# nobody\n", ""])
def test_a_file_of_hosts_in_which_we_are_not(ncat: Ncat, text: str) -> None:
    (ncat.folder / "hosts").write_text(text)
    listener = ncat.listen("-v", "--allowfile", ncat.folder / "hosts")
    assert everything(ncat.dial(listener.port)) == b""
    assert listener.program.wait() == 0
    assert listener.program.stderr.endswith(b"Ncat: New connection denied: not allowed\n")


@ours
def test_line_ends_are_translated(ncat: Ncat) -> None:
    listener = ncat.listen("-C")
    client = ncat.dial(listener.port)
    listener.program.send(b"a\nb\r\n")
    assert exactly(client, 6) == b"a\r\nb\r\n"
    client.sendall(b"q\n")
    client.close()
    assert (listener.program.wait(), listener.program.stdout) == (0, b"q\n")


@both
def test_each_piece_waits(ncat: Ncat) -> None:
    listener = ncat.listen("-d", "400ms")
    client = ncat.dial(listener.port)
    listener.program.send(b"a")
    assert is_silent(client, 0.25)
    assert exactly(client, 1) == b"a"


@both
@pytest.mark.parametrize("options", [["-m", "0"], ["-m", "0", "--deny", "127.0.0.1"]], ids=" ".join)
def test_limit_of_0_admits_nobody_without_keep_open(ncat: Ncat, options: list[str]) -> None:
    listener = ncat.listen("-v", *options)
    listener.program.send(b"secret")
    assert everything(ncat.dial(listener.port)) == b""
    listener.program.wait_for("stderr", b"Ncat: New connection denied: connection limit reached \\(0\\)\n")
    if ncat.is_ours:  # the oracle stays, although nothing can reach it any more
        assert listener.program.wait() == 0
