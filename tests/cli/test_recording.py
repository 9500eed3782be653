"""``--record FILE`` in the verbs, as other programs see what comes of it: tshark, capinfos, tcpdump."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from peers import PATIENCE, Program, environment, peer, wirecat, wirecat_command
from plain_peers import everything, serving
from wirecat.recording.model import Chunk
from wirecat.recording.reader import Recording, read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")

BYTES = bytes(range(256)) * 1000


def said(recording: Recording) -> list[tuple[str, bytes]]:
    return [(each.sender, each.data) for each in recording.entries() if isinstance(each, Chunk)]


def tshark(*arguments: object) -> str:
    """What tshark prints."""
    command = [peer("tshark"), "-n", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE, env=environment())
    return done.stdout.decode()


def conversations(path: Path, *numbers: int) -> tuple[int, list[tuple[bytes, bytes]]]:
    """How many TCP connections tshark sees, and what client and server said in those of ``numbers`` (from 0), as its
    follow,tcp,raw has it. All at once, because it takes its time to start.

    It has no warning about any of the packets, and all checksums are right.
    """
    frowned = "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed"
    looks = ["conv,tcp", f"io,stat,0,{frowned}", *(f"follow,tcp,raw,{number}" for number in numbers)]
    words = [word for look in looks for word in ("-z", look)]
    checks = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    told = tshark("-r", path, "-q", *checks, *words)
    counted = re.search(r"^\| *[\d.]+ *<> *[\d.]+ *\| *(\d+) *\|", told, re.MULTILINE)
    assert counted is not None, told
    assert counted[1] == "0", told
    followed = {}
    for part in told.split("Follow: tcp,raw")[1:]:
        sides = [b"", b""]
        for line in part.splitlines():
            if re.fullmatch(r"\t?[0-9a-f]+", line):
                sides[line.startswith("\t")] += bytes.fromhex(line.strip())
        number = re.search(r"tcp.stream eq (\d+)", part)
        assert number is not None, part
        followed[int(number[1])] = sides[0], sides[1]
    return told.count("<->"), [followed[number] for number in numbers]


def test_connect(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    with serving(lambda connection: connection.sendall(everything(connection)[::-1])) as server:
        with Program(
            wirecat_command("connect", str(server.port), "--newline", "crlf", "--record", str(path))
        ) as client:
            client.send(b"one\ntwo\n")
            client.close_stdin()
            assert client.wait() == 0
            assert client.stderr == b""
    assert path.stat().st_mode & 0o777 == 0o600
    assert conversations(path, 0) == (1, [(b"one\r\ntwo\r\n", b"one\r\ntwo\r\n"[::-1])])
    (connection,) = read(path).connections
    assert (connection.kind, connection.closed_by, connection.reason) == ("client", "client", "end")


def test_capinfos_reads_the_times(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    with serving(lambda connection: connection.sendall(b"hello")) as server:
        with wirecat("connect", str(server.port), "--record", str(path)) as client:
            assert client.wait() == 0
    command = [peer("capinfos"), "-a", "-e", "-S", str(path)]
    told = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout.decode()
    recording = read(path)
    first = re.search(r"(?:First|Earliest) packet time: +([\d.]+)", told)
    assert first is not None
    assert recording.started_ns is not None
    assert 0 <= float(first[1]) - recording.started_ns / 1e9 < PATIENCE


def test_listen_records_each_client(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    with wirecat("listen", "127.0.0.1:0", "--keep-open", "--record", str(path)) as listener:
        port = listener.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1].decode()
        for number in range(2):
            with wirecat("connect", port) as client:
                client.send(b"hello %d\n" % number)
                client.close_stdin()
                listener.wait_for("stdout", b"hello %d\n" % number)
        listener.wait_for("stderr", rb"(?s)closed the connection.*closed the connection")
        listener.interrupt()
        assert listener.wait() == 130
    assert said(read(path))[:2] == [("client", b"hello 0\n"), ("client", b"hello 1\n")]
    assert [each.kind for each in read(path).connections] == ["server", "server"]


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_serve(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "talk.pcapng"
    with wirecat("serve", "echo", "127.0.0.1:0", "--engine", engine, "--record", str(path)) as server:
        port = server.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1].decode()
        with wirecat("swarm", f"127.0.0.1:{port}", "-c", "30", "-n", "5", "--expect", "echo") as swarm:
            assert swarm.wait() == 0
        server.interrupt()
        assert server.wait() == 0
    recording = read(path)
    assert recording.complete
    assert len(recording.connections) == 30
    assert all(each.client.chunks == 5 and each.handler == "echo" for each in recording.connections)
    assert any(row.state == "LISTEN" for row in recording.snapshots[0].rows)
    data = [b"".join(each.data for each in recording.chunks(number) if each.sender == "server") for number in (1, 2)]
    count, talks = conversations(path, 0, 1)
    assert count == 30
    assert {server_said for _, server_said in talks} == set(data)


def test_swarm(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    with wirecat("serve", "echo", "127.0.0.1:0") as server:
        address = server.wait_for("stderr", rb"listening on (127\.0\.0\.1:\d+)")[1].decode()
        with wirecat("swarm", address, "-c", "20", "-n", "3", "--expect", "echo", "--record", str(path)) as swarm:
            assert swarm.wait() == 0
    assert conversations(path)[0] == 20
    recording = read(path)
    assert recording.complete
    assert all((each.client.chunks, each.closed_by) == (3, "client") for each in recording.connections)


def test_relay(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    with wirecat("serve", "echo", "127.0.0.1:0") as server:
        address = server.wait_for("stderr", rb"listening on (127\.0\.0\.1:\d+)")[1].decode()
        with wirecat("relay", "127.0.0.1:0", address, "--record", str(path)) as relay:
            port = relay.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1].decode()
            with wirecat("connect", port) as client:
                client.send(BYTES)
                client.close_stdin()
                assert client.wait() == 0
                assert client.stdout == BYTES
            assert relay.wait() == 0
    assert conversations(path, 0) == (1, [(BYTES, BYTES)])
    assert read(path).connections[0].facts["target"] == address


@pytest.mark.parametrize("keep_open", [[], ["-k"]])
def test_the_ncat_dialect(tmp_path: Path, keep_open: list[str]) -> None:
    ours, theirs = tmp_path / "server.pcapng", tmp_path / "client.pcapng"
    with serving(lambda connection: connection.sendall(everything(connection))) as far:
        with wirecat("ncat", "127.0.0.1", str(far.port), "--record", str(theirs)) as client:
            client.send(b"hello\n")
            client.close_stdin()
            assert client.wait() == 0
    assert said(read(theirs)) == [("client", b"hello\n"), ("server", b"hello\n")]
    with wirecat("ncat", "-v", "-l", *keep_open, "-c", "cat", "127.0.0.1", "0", "--record", str(ours)) as server:
        port = server.wait_for("stderr", rb"Listening on 127\.0\.0\.1:(\d+)")[1].decode()
        with wirecat("connect", port) as client:
            client.send(b"hello\n")
            client.close_stdin()
            assert client.wait() == 0
        if keep_open:
            server.interrupt()
        server.wait()
    recording = read(ours)
    assert said(recording) == [("client", b"hello\n"), ("server", b"hello\n")]
    assert (recording.connections[0].kind, recording.connections[0].handler) == ("server", "cat")


def test_several_processes_record_into_a_file_each(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "server.pcapng", tmp_path / "clients.pcapng"
    with wirecat("serve", "echo", "127.0.0.1:0", "--workers", "2", "--record", str(ours)) as server:
        address = server.wait_for("stderr", rb"listening on (127\.0\.0\.1:\d+)")[1].decode()
        words = ["-c", "20", "-n", "3", "--expect", "echo", "--workers", "2", "--record", str(theirs)]
        with wirecat("swarm", address, *words) as swarm:
            assert swarm.wait() == 0
        server.interrupt()
        assert server.wait() == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "clients.worker1.pcapng", "clients.worker2.pcapng", "server.worker1.pcapng", "server.worker2.pcapng",
    ]  # fmt: skip
    for path in (ours, theirs):
        recording = read(*sorted(tmp_path.glob(f"{path.stem}.*")))
        assert recording.complete
        assert sorted(each.id for each in recording.connections) == list(range(1, 21))
        assert all((each.client.chunks, each.closed_by) == (3, "client") for each in recording.connections)
        assert any(row.state == "LISTEN" for each in recording.snapshots for row in each.rows)


def test_unix_sockets_go_by_loopback(tmp_path: Path) -> None:
    path, place = tmp_path / "talk.pcapng", f"unix://{tmp_path}/socket"
    with wirecat("serve", "echo", place, "--record", str(path)) as server:
        server.wait_for("stderr", rb"listening")
        for _ in range(2):
            with wirecat("connect", place) as client:
                client.send(BYTES)
                client.close_stdin()
                assert client.wait() == 0
        server.interrupt()
        assert server.wait() == 0
    assert conversations(path, 1) == (2, [(BYTES, BYTES)])
    assert read(path).connections[0].server.address.path == f"{tmp_path}/socket"


def test_a_file_that_cannot_be_written_is_told_before_anything_is_connected(tmp_path: Path) -> None:
    with wirecat("connect", "127.0.0.1:9", "--record", str(tmp_path / "missing" / "x")) as client:
        assert client.wait() == 2
        assert client.stderr.startswith(b"wirecat: record")


def test_a_place_that_no_process_can_write_to_is_told_before_anything_is_connected(tmp_path: Path) -> None:
    for words in (["serve", "echo", "127.0.0.1:0"], ["swarm", "127.0.0.1:9"]):
        with wirecat(*words, "--workers", "2", "--record", str(tmp_path / "missing" / "x")) as program:
            assert program.wait() == 2
            assert b"wirecat: record" in program.stderr


def test_a_full_disk_does_not_hold_up_the_traffic() -> None:
    with serving(everything) as server:
        with Program(wirecat_command("connect", str(server.port), "--record", "/dev/full")) as client:
            client.send(BYTES)
            client.close_stdin()
            assert client.wait() == 0
            assert b"were not recorded" in client.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="tcpdump needs the rights of root")
def test_what_tcpdump_captures_is_the_same_transcript(tmp_path: Path) -> None:
    ours, others = tmp_path / "ours.pcapng", tmp_path / "others.pcap"
    with wirecat("serve", "echo", "127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1].decode()
        with Program([peer("tcpdump"), "-i", "lo", "-U", "-w", str(others), "tcp", "port", port]) as dump:
            dump.wait_for("stderr", rb"listening on lo")
            with wirecat("connect", "--ask", f"127.0.0.1:{port}", "--record", str(ours)) as client:
                client.send(b"hello\nyou there\n")
                client.close_stdin()
                assert client.wait() == 0
            # The end of the connection is the last that there is to capture: both FINs and what confirms them.
            dump.wait_for("stderr", rb"listening on lo")
            grown = threading.Event()
            for _ in range(200):
                if [each for each in read(others).connections if each.closed_ns is not None]:
                    break
                grown.wait(0.05)
            os.kill(dump.pid, signal.SIGINT)
            dump.wait()
    assert said(read(others)) == said(read(ours))
    ends = [
        [str(read(path).connections[0].side(side).address) for side in ("client", "server")] for path in (ours, others)
    ]
    assert ends[0] == ends[1]
    assert read(others).problems == []
