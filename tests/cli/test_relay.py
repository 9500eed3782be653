"""The command ``wirecat relay``: what it joins, what it says, how it ends, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from peers import Program, wirecat, wirecat_command
from plain_peers import PATIENCE, everything, refusing, serving
from wirecat.recording.reader import read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")

HERE = "127.0.0.1:0"


def port_of(program: Program) -> int:
    """The port it says that it listens on."""
    return int(program.wait_for("stderr", rb"listening on .*?127\.0\.0\.1:(\d+)")[1])


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def reversed_whole(peer: socket.socket) -> None:
    peer.sendall(everything(peer)[::-1])


def refused(*arguments: str, code: int = 2) -> str:
    """The one line by which it says no."""
    with Program(wirecat_command("relay", *arguments)) as program:
        program.close_stdin()
        assert program.wait() == code, program.stderr
        said = program.stderr.decode()
        assert program.stdout == b""
    assert said.startswith("wirecat: ") and said.count("\n") == 1, said
    return said


def test_one_connection_from_beginning_to_end() -> None:
    data = os.urandom(2_000_000)
    with serving(reversed_whole) as target, wirecat("relay", "-v", HERE, target.address) as relay:
        port = port_of(relay)
        with dial(port) as client:
            mine = client.getsockname()[1]
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == data[::-1]
        assert relay.wait() == 0
        said = relay.stderr.decode()
        there = target.port
    assert said.startswith(f"wirecat: listening on 127.0.0.1:{port} (this PC only; --lan opens it to others)\n")
    assert re.search(rf"#1 joined to 127\.0\.0\.1:{there}, from 127\.0\.0\.1:\d+\n", said)
    assert re.search(rf"#1 127\.0\.0\.1:{mine} closed by the client after .*: 2\.0 MB in, 2\.0 MB out", said)
    if sys.platform == "linux":
        assert "#1 to the target: zero-copy\n" in said
        assert "#1 from the target: zero-copy\n" in said
    assert relay.stdout == b""


def test_many_clients_until_it_is_stopped() -> None:
    with serving(reversed_whole, clients=3) as target, wirecat("relay", "--keep-open", HERE, target.address) as relay:
        port = port_of(relay)
        for number in range(3):
            with dial(port) as client:
                client.sendall(b"client %d" % number)
                client.shutdown(socket.SHUT_WR)
                assert everything(client) == (b"client %d" % number)[::-1]
        relay.signal(signal.SIGTERM)
        assert relay.wait() == 0
        assert b"stopped after 3 connections" in relay.stderr


def test_quiet_says_nothing() -> None:
    with serving(reversed_whole) as target, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        with wirecat("relay", "-q", f"127.0.0.1:{port}", target.address) as relay:
            with wirecat("connect", "-q", "--retry", "20", f"127.0.0.1:{port}") as client:
                client.send(b"abc")
                client.close_stdin()
                assert client.wait() == 0
                assert client.stdout == b"cba"
            assert relay.wait() == 0
            assert relay.stderr == b""


def test_a_target_that_refuses_is_told_in_one_line() -> None:
    with refusing() as closed, wirecat("relay", HERE, f"127.0.0.1:{closed}") as relay:
        with dial(port_of(relay)) as client:
            assert everything(client) == b""
        assert relay.wait() == 1
        last = relay.stderr.decode().splitlines()[-1]
        assert last.startswith(f"wirecat: connect 127.0.0.1:{closed}: connection refused. Nothing listens there")


def test_with_keep_open_a_target_that_refuses_is_no_end() -> None:
    with refusing() as closed, wirecat("relay", "--keep-open", HERE, f"127.0.0.1:{closed}") as relay:
        port = port_of(relay)
        for number in (1, 2):
            with dial(port) as client:
                assert everything(client) == b""
            relay.wait_for("stderr", rb"#%d connect 127.0.0.1:%d: connection refused" % (number, closed))
        relay.interrupt()
        assert relay.wait() == 0


def test_between_standard_streams_and_a_target() -> None:
    with serving(reversed_whole) as target, wirecat("relay", "-", target.address) as relay:
        relay.send(b"abc")
        relay.close_stdin()
        assert relay.wait() == 0
        assert (relay.stdout, relay.stderr) == (b"cba", b"")


def test_between_a_client_and_standard_streams() -> None:
    with wirecat("relay", HERE, "-") as relay, dial(port_of(relay)) as client:
        client.sendall(b"from the client")
        relay.wait_for("stdout", b"from the client")
        relay.send(b"answer")
        assert client.recv(100) == b"answer"
        client.close()
        assert relay.wait() == 0


def test_a_program_and_a_target() -> None:
    with serving(reversed_whole) as target:
        with wirecat("relay", "-v", "exec:printf hello", target.address) as relay:
            assert relay.wait() == 0
            assert relay.stdout == b""
            assert f"{target.address}: 5 bytes sent, 5 bytes received".encode() in relay.stderr


def test_a_program_and_standard_streams() -> None:
    with wirecat("relay", "exec:rev", "-") as relay:
        relay.send(b"abc\n")
        relay.close_stdin()
        assert relay.wait() == 0
        assert relay.stdout == b"cba\n"


def test_a_path_to_a_program(tmp_path: Path) -> None:
    with wirecat("relay", f"unix://{tmp_path}/here", "exec:rev") as relay:
        relay.wait_for("stderr", b"listening on")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(f"{tmp_path}/here")
            client.sendall(b"abc\n")
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b"cba\n"
        assert relay.wait() == 0
    assert not (tmp_path / "here").exists()


def test_a_recording_of_what_went_through(tmp_path: Path) -> None:
    file = str(tmp_path / "talk.pcapng")
    with serving(reversed_whole) as target, wirecat("relay", "-v", "--record", file, HERE, target.address) as relay:
        with dial(port_of(relay)) as client:
            client.sendall(b"abcdef")
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b"fedcba"
        assert relay.wait() == 0
        assert b"to the target: copy: tapped" in relay.stderr
    with wirecat("show", file) as show:
        assert show.wait() == 0
        assert b"abcdef" in show.stdout and b"fedcba" in show.stdout


@pytest.mark.parametrize("here", ["-", "exec:printf abcdef"])
def test_a_recording_where_one_end_is_no_connection(tmp_path: Path, here: str) -> None:
    file = str(tmp_path / "talk.pcapng")
    with serving(reversed_whole) as target:
        address = target.address
        with wirecat("relay", "--record", file, "--record-limit=1M", here, target.address) as relay:
            if here == "-":
                relay.send(b"abcdef")
                relay.close_stdin()
            assert relay.wait() == 0, relay.stderr
    recording = read(file)
    assert recording.complete
    assert [(each.sender, each.data) for each in recording.chunks(1)] == [("client", b"abcdef"), ("server", b"fedcba")]
    assert str(recording.connections[0].server.address) == address
    assert recording.snapshots


def test_a_recording_of_who_talks_to_this_window(tmp_path: Path) -> None:
    file = str(tmp_path / "talk.pcapng")
    with wirecat("relay", "--record", file, HERE, "-") as relay, dial(port_of(relay)) as client:
        client.sendall(b"abcdef")
        relay.wait_for("stdout", b"abcdef")
        client.shutdown(socket.SHUT_WR)
        relay.close_stdin()
        assert relay.wait() == 0, relay.stderr
    assert [(each.sender, each.data) for each in read(file).chunks(1)] == [("client", b"abcdef")]


def test_events_as_json() -> None:
    with serving(reversed_whole) as target, wirecat("relay", "--json", HERE, target.address) as relay:
        listening = json.loads(relay.wait_for("stdout", rb".*\n")[0])
        with dial(listening["addresses"][0]["port"]) as client:
            client.sendall(b"abc")
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b"cba"
        assert relay.wait() == 0
        assert relay.stderr == b""
        events = [json.loads(line) for line in relay.stdout.splitlines()]
        joined = next(event for event in events if event["event"] == "joined")
        assert joined["target"] == {"host": "127.0.0.1", "port": target.port}
        assert {event["direction"] for event in events if event["event"] == "moving"} == {"forward", "backward"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("12345",), "TO is missing"),
        (("-", "-"), "standard input and output are there once"),
        (("--keep-open", HERE, "-"), "--keep-open is not for -"),
        (("--idle-timeout", "3", "exec:cat", "127.0.0.1:1"), "--idle-timeout is not for exec:cat"),
        (("udp://127.0.0.1:0", "127.0.0.1:1"), "not for datagrams"),
        ((":0", "exec:sh"), "can be reached by others"),
        (("--allow", "", HERE, "127.0.0.1:1"), "was given nothing"),
        ((HERE, "127.0.0.1:0"), "port 0"),
        (("--idle-timeout", "0", HERE, "127.0.0.1:1"), "no time at all"),
        (("--max-connections", "0", HERE, "127.0.0.1:1"), "is less than 1"),
    ],
)
def test_what_it_refuses(arguments: tuple[str, ...], words: str) -> None:
    assert words in refused(*arguments)


def test_only_who_is_allowed_gets_in() -> None:
    with serving(reversed_whole) as target, wirecat("relay", "--deny", "127.0.0.1", HERE, target.address) as relay:
        with dial(port_of(relay)) as client:
            try:
                assert everything(client) == b""
            except ConnectionResetError:
                pass
        relay.wait_for("stderr", rb"denied: not allowed")
        relay.interrupt()
        assert relay.wait() == 0
