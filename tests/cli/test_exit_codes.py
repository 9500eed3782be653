"""The exit code of a program that is one end (``exec:``), as a shell has it, and those of ports that cannot be had."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from peers import PATIENCE, Program, environment, wirecat_command
from plain_peers import free_port, serving, wait_for_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are started the way of POSIX")

PROGRAMS = [
    ("true", 0),
    ("exit 3", 3),
    ("nosuchprogram-of-wirecat", 127),
    ("/etc/passwd", 126),
    ("kill -TERM $$", 143),
    ("kill -KILL $$", 137),
    ("exec >&-; sleep 0.1; exit 7", 7),
]


def run(*words: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        wirecat_command(*words), input=input, capture_output=True, timeout=PATIENCE, env=environment()
    )


@pytest.mark.parametrize(("command", "code"), PROGRAMS)
def test_connect_ends_with_the_code_of_the_program(command: str, code: int) -> None:
    assert run("connect", f"exec:{command}").returncode == code


@pytest.mark.parametrize(("command", "code"), PROGRAMS)
def test_ask_ends_with_the_code_of_the_program(command: str, code: int) -> None:
    assert run("connect", "--ask", f"exec:{command}").returncode == code


@pytest.mark.parametrize("words", [("-", "exec:exit 3"), ("exec:exit 3", "-")], ids=str)
def test_relay_with_standard_streams_ends_with_the_code_of_the_program(words: tuple[str, str]) -> None:
    assert run("relay", *words).returncode == 3


@pytest.mark.parametrize(("command", "code"), PROGRAMS)
def test_relay_of_one_client_ends_with_the_code_of_the_program(command: str, code: int) -> None:
    with Program(wirecat_command("relay", "127.0.0.1:0", f"exec:{command}"), env=environment()) as relay:
        port = int(relay.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1])
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.shutdown(socket.SHUT_WR)
            wait_for_end(client)
        assert relay.wait() == code


@pytest.mark.parametrize(("command", "code"), PROGRAMS)
def test_relay_from_a_program_ends_with_its_code(command: str, code: int) -> None:
    with serving(wait_for_end) as server:
        assert run("relay", f"exec:{command}", f"127.0.0.1:{server.port}").returncode == code


@pytest.mark.parametrize(
    ("words", "code"), [(("exec:true", "exec:exit 4"), 4), (("exec:exit 3", "exec:cat"), 3)], ids=str
)
def test_relay_of_two_programs_ends_with_the_code_that_is_not_0(words: tuple[str, str], code: int) -> None:
    assert run("relay", *words).returncode == code


def test_a_program_behind_a_network_that_fails_does_not_hide_it() -> None:
    assert run("relay", "exec:exit 3", f"127.0.0.1:{free_port()}").returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ("listen", "PORT"),
        ("listen", "udp://127.0.0.1:PORT"),
        ("serve", "echo", "127.0.0.1:PORT"),
        ("serve", "echo", "tls://127.0.0.1:PORT"),
        ("serve", "echo", "127.0.0.1:PORT", "--workers", "2"),
        ("serve", "echo", "127.0.0.1:PORT", "--engine", "async"),
        ("relay", "127.0.0.1:PORT", "127.0.0.1:1"),
        ("record", "127.0.0.1:PORT", "127.0.0.1:1", "-o", "FILE"),
        ("reach", "--serve-peer", "PORT"),
        ("connect", "tcp://127.0.0.1:1?source=127.0.0.1:PORT"),
        ("connect", "udp://127.0.0.1:1?source=127.0.0.1:PORT"),
    ],
    ids=" ".join,
)
def test_port_that_is_taken_is_exit_1_of_native_commands(words: tuple[str, ...], tmp_path: Path) -> None:
    with socket.socket() as taken, socket.socket(type=socket.SOCK_DGRAM) as taken_too:
        host = "" if "--serve-peer" in words else "127.0.0.1"
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        taken_too.bind((host, port))
        ended = run(*(word.replace("PORT", str(port)).replace("FILE", str(tmp_path / "x")) for word in words))
    assert ended.returncode == 1, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert b"taken" in line


def test_port_that_is_taken_is_exit_2_of_the_dialect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run("ncat", "-l", "127.0.0.1", str(taken.getsockname()[1])).returncode == 2


def test_relay_of_one_client_with_an_internal_error_is_no_success() -> None:
    code = (
        "import sys\n"
        "import wirecat.relay.relay\n"
        "def broken(*arguments): raise RuntimeError('on purpose')\n"
        "sys.modules['wirecat.relay.relay'].open_stream = broken\n"
        "from wirecat.__main__ import main\n"
        "sys.exit(main())\n"
    )
    with Program([sys.executable, "-c", code, "relay", "127.0.0.1:0", "127.0.0.1:1"], env=environment()) as relay:
        port = int(relay.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1])
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            wait_for_end(client)
        assert relay.wait() == 1
        assert b"wirecat: relay 127.0.0.1:1: internal error: RuntimeError: on purpose\n" in relay.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the loopback's name is Linux'")
@pytest.mark.parametrize(("zone", "code"), [("lo", None), ("nosuch0", 2)])
def test_zone_of_the_dialects_access_rules_is_one_of_this_machine(zone: str, code: int | None) -> None:
    words = wirecat_command("ncat", "--test", "-l", "--allow", f"fe80::2%{zone}", "127.0.0.1", str(free_port()))
    with Program(words, env=environment()) as program:
        if code is None:
            program.wait_for("stderr", b"NCAT TEST: LISTEN")
        else:
            assert program.wait() == code
            assert b'error in host specification "fe80::2%nosuch0"' in program.stderr
