"""A canary password through every command that can carry one: it is in nothing that was written."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers import Program, environment, peer, wirecat_command
from plain_peers import free_port, refusing
from server.handlers.origin import Origin

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")

CANARY = "c4n4ry/w0rd"
LOGIN = f"anna:{CANARY}"
SIGNS = (CANARY.encode(), CANARY.encode().hex().encode(), base64.b64encode(LOGIN.encode()))


def require_unwritten(folder: Path, *programs: Program | subprocess.CompletedProcess[bytes]) -> None:
    """The canary is neither in a file nor in what a program said."""
    written = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "login"}
    for number, program in enumerate(programs):
        written[f"stdout {number}"], written[f"stderr {number}"] = program.stdout or b"", program.stderr or b""
    for name, data in written.items():
        found = [sign for sign in SIGNS if sign in data.replace(b"\n", b"") or sign in data]
        assert not found, f"{found} in {name}: {data!r}"


@pytest.fixture
def login(tmp_path: Path) -> Path:
    path = tmp_path / "login"
    path.write_text(f"{LOGIN}\n")
    return path


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@contextlib.contextmanager
def running(*words: str, listening: str = "stderr", **variables: str) -> Iterator[tuple[Program, int]]:
    with Program(wirecat_command(*words), env=environment(**variables)) as program:
        port = int(program.wait_for(listening, rb"(?:127\.0\.0\.1:|\"port\": )(\d+)")[1])  # type: ignore[arg-type]
        yield program, port


def run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        wirecat_command(*words),
        input=b"",
        capture_output=True,
        cwd=folder,
        env=environment(**variables),
        timeout=40,
        check=False,
    )


def curl(port: int, url: str, *options: str, user: str = LOGIN) -> bytes:
    command = [
        peer("curl"),
        "--silent",
        "--max-time",
        "15",
        "--proxy",
        f"http://127.0.0.1:{port}",
        "--proxy-user",
        user,
    ]
    return subprocess.run([*command, *options, url], capture_output=True, timeout=30, check=False).stdout


def read_all(recording: Path, folder: Path) -> list[subprocess.CompletedProcess[bytes]]:
    """The recording through everything that shows one."""
    words = [["show"], ["show", "--hex"], ["show", "--json"]]
    words += [["report", "--format", each] for each in ("html", "md", "json")]
    words += [["report", "--picture", "terminal", "--format", "svg"]]
    return [run(*each, str(recording), folder=folder) for each in words]


@pytest.mark.parametrize("json", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("how", ["argument", "file", "variable"])
def test_served_proxy_writes_no_password(
    how: str, json: list[str], tmp_path: Path, origin: Origin, login: Path
) -> None:
    handler = {"argument": f"proxy:{LOGIN}", "file": f"proxy:@{login}", "variable": "proxy"}[how]
    variables = {"WIRECAT_SERVE_AUTH": LOGIN} if how == "variable" else {}
    recording = tmp_path / "r.pcapng"
    words = ["serve", handler, "127.0.0.1:0", "-v", "--record", str(recording), *json]
    with running(*words, listening="stdout" if json else "stderr", **variables) as (server, port):
        assert curl(port, origin.url, user="anna:wrong") != b"hello"
        assert curl(port, origin.url) == b"hello"
        assert curl(port, origin.url, "--proxy-digest") == b"hello"
        assert curl(port, origin.url, "--proxytunnel") == b"hello"
        with socket.create_connection(("127.0.0.1", port), 20) as client:
            request = (
                f"GET {origin.url}/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ".encode()
                + SIGNS[2]
                + b"\r\n\r\n"
            )
            for at in range(len(request)):
                client.sendall(request[at : at + 1])
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        server.interrupt()
        assert server.wait() == 0
    assert b"GET http://127.0.0.1" in recording.read_bytes(), "the rest of the requests is in it"
    shown = read_all(recording, tmp_path) if how == "argument" and not json else []
    assert all(each.returncode == 0 for each in shown)
    require_unwritten(tmp_path, server, *shown)


def test_recording_of_an_older_wirecat_is_shown_without_its_password(tmp_path: Path) -> None:
    from recording.made import Maker

    made = Maker()
    made.talk(1, handler=f"proxy:{LOGIN}")
    path = made.write(tmp_path / "login")
    require_unwritten(tmp_path, *read_all(path, tmp_path))


CLIENTS = [
    ["connect", "--proxy", f"http://{LOGIN}@127.0.0.1:PORT", "127.0.0.1:1", "-v", "--record", "r.pcapng"],
    ["connect", "--proxy", f"http://{LOGIN.replace('/', '%2F')}@127.0.0.1:PORT", "127.0.0.1:1", "-v"],
    ["connect", "--proxy", f"{LOGIN}@127.0.0.1:PORT", "127.0.0.1:1"],
    ["connect", "--proxy", f"ftp://{LOGIN}@127.0.0.1:PORT", "127.0.0.1:1"],
    ["connect", "--proxy", "http://127.0.0.1:PORT", "--proxy-auth", LOGIN, "127.0.0.1:1", "-v", "--record", "r.pcapng"],
    ["connect", "--proxy", "socks5://127.0.0.1:PORT", "--proxy-auth", LOGIN, "127.0.0.1:1", "--retry", "1", "-v"],
    ["connect", "--proxy-auth", LOGIN, "127.0.0.1:1"],
    ["connect", f"127.0.0.1:1?proxy=http://127.0.0.1:PORT&proxy_auth={LOGIN}", "-v"],
    ["connect", f"127.0.0.1:0?proxy=http://127.0.0.1:PORT&proxy_auth={LOGIN}"],
    ["connect", f"udp://127.0.0.1:1?proxy_auth={LOGIN}"],
    ["connect", f"127.0.0.1?proxy_auth={LOGIN}"],
    ["connect", f"http://{LOGIN}@127.0.0.1:1"],
    ["connect", "1", "2", f"--proxy-auth={LOGIN}", f"http://{LOGIN}@x"],
    ["connect", "--proxy-aut", LOGIN, "1"],
    ["--proxy-auth", LOGIN, "connect", "1"],
    [f"--proxy-auth={LOGIN}", "connect", "1"],
    ["127.0.0.1:1", "--proxy", f"http://{LOGIN}@127.0.0.1:PORT"],
    [f"proxy:{LOGIN}"],
    ["wait", f"127.0.0.1:1?proxy=http://{LOGIN}@127.0.0.1:PORT", "--timeout", "0.2", "-v"],
    ["serve", f"proxyy:{LOGIN}"],
    ["serve", "127.0.0.1:0", f"proxy:{LOGIN}"],
    ["serve", "127.0.0.1:0", f"proxy:{CANARY}"],
    ["serve", f"proxy:{LOGIN}", "127.0.0.1:0", "--workers", "2"],
    ["serve", f"proxy:{LOGIN}", "127.0.0.1:0", "--engine", "async"],
    ["serve", f"proxy:{LOGIN}", "udp://127.0.0.1:0"],
    ["serve", f"proxy:{LOGIN}", "127.0.0.1:0", "--framing", "line"],
    ["serve", f"proxy:{LOGIN}", "1", "2", "3"],
    ["serve", "echo", f"--proxy-auth={LOGIN}"],
    ["swarm", f"127.0.0.1:1?proxy=http://{LOGIN}@127.0.0.1:PORT"],
    ["swarm", "127.0.0.1:1", f"--proxy-auth={LOGIN}"],
    ["relay", "-", f"127.0.0.1:1?proxy=http://{LOGIN}@127.0.0.1:PORT", "-v"],
    ["record", "127.0.0.1:0", f"udp://127.0.0.1:1?proxy_auth={LOGIN}"],
    ["ncat", "-vv", "--proxy", "127.0.0.1:PORT", "--proxy-auth", LOGIN, "127.0.0.1", "1", "--record", "r.pcapng"],
    ["ncat", "-vv", "--proxy", "127.0.0.1:PORT", "--proxy-type", "socks5", "--proxy-auth", LOGIN, "127.0.0.1", "1"],
    ["ncat", "-v", "--proxy", f"{LOGIN}@127.0.0.1:PORT", "127.0.0.1", "1"],
    ["ncat", "-v", "--proxy", f"anna:{CANARY}@localhost", "127.0.0.1", "1"],
    ["ncat", "--proxy-auth", LOGIN, "--proxy-auth", LOGIN, "127.0.0.1", "1"],
    ["ncat", f"--proxy-authx={LOGIN}", "127.0.0.1", "1"],
    ["ncat", "-l", f"--proxy-auth={LOGIN}", "--broker", "-e", "x"],
]  # fmt: skip


@pytest.mark.parametrize("words", CLIENTS, ids=[" ".join(words).replace(CANARY, "CANARY") for words in CLIENTS])
def test_error_repeats_no_password(words: list[str], tmp_path: Path) -> None:
    with refusing() as refused:
        words = [word.replace("PORT", str(refused)) for word in words]
        ended = run(*words, folder=tmp_path, WIRECAT_DEBUG="1")
    assert ended.returncode in (1, 2), ended
    assert b"fault of wirecat's own" not in ended.stderr, ended.stderr
    require_unwritten(tmp_path, ended)


WAYS: list[tuple[list[str], dict[str, str]]] = [
    (["--proxy", f"http://{LOGIN.replace('/', '%2F')}@127.0.0.1:PORT", "127.0.0.1:ECHO"], {}),
    (["--proxy", "http://127.0.0.1:PORT", "--proxy-auth", LOGIN, "127.0.0.1:ECHO"], {}),
    (["--proxy", "http://127.0.0.1:PORT", "--proxy-auth", "@FILE", "127.0.0.1:ECHO"], {}),
    (["--proxy", "http://127.0.0.1:PORT", "127.0.0.1:ECHO"], {"WIRECAT_PROXY_AUTH": LOGIN}),
    (["--proxy", "http://127.0.0.1:PORT", "127.0.0.1:ECHO"], {"WIRECAT_PROXY_AUTH": "@FILE"}),
    (["127.0.0.1:ECHO?proxy=http://127.0.0.1:PORT&proxy_auth=@FILE"], {}),
    (["127.0.0.1:ECHO?proxy=http://127.0.0.1:PORT"], {"WIRECAT_PROXY_AUTH": LOGIN}),
]


@pytest.mark.parametrize(("words", "variables"), WAYS)
def test_login_to_a_proxy_is_accepted_and_not_recorded(
    words: list[str], variables: dict[str, str], tmp_path: Path, login: Path
) -> None:
    with (
        running("serve", "echo", "127.0.0.1:0") as (_, echo),
        running("serve", f"proxy:@{login}", "127.0.0.1:0") as (_, port),
    ):
        names = {"PORT": str(port), "ECHO": str(echo), "FILE": str(login)}

        def filled(text: str) -> str:
            for name, value in names.items():
                text = text.replace(name, value)
            return text

        command = wirecat_command("connect", "-v", "--record", str(tmp_path / "r.pcapng"), *map(filled, words))
        chosen = environment(**{name: filled(value) for name, value in variables.items()})
        with Program(command, env=chosen) as client:
            client.send(b"hello")
            client.close_stdin()
            assert client.wait() == 0, client.stderr
            assert client.stdout == b"hello"
        require_unwritten(tmp_path, client)


@pytest.mark.parametrize("variable", [False, True], ids=["option", "variable"])
def test_dialect_proxy_server_writes_no_password(variable: bool, tmp_path: Path, origin: Origin) -> None:
    port = free_port()
    words = [
        "ncat",
        "-vv",
        "-lk",
        "--test",
        "--proxy-type",
        "http",
        "--record",
        "r.pcapng",
        "-o",
        "o",
        "-x",
        "x",
        "127.0.0.1",
    ]
    words += [str(port)] + ([] if variable else ["--proxy-auth", LOGIN])
    variables = {"NCAT_PROXY_AUTH": LOGIN} if variable else {}
    with Program(wirecat_command(*words), env=environment(**variables), cwd=tmp_path) as server:
        server.wait_for("stderr", b"NCAT TEST: LISTEN")
        assert curl(port, origin.url) == b"hello"
        server.interrupt()
        server.wait()
    assert b"Proxy-Authorization" in (tmp_path / "o").read_bytes()
    require_unwritten(tmp_path, server)


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "exec:env; tr '\\0' '\\n' </proc/$PPID/cmdline", "127.0.0.1:0", "--once"],
        ["serve", "exec:env", "127.0.0.1:0", "--once", "--workers", "1"],
        ["relay", "127.0.0.1:0", "exec:env"],
        ["ncat", "-l", "-v", "-e", "/usr/bin/env", "127.0.0.1", "PORT"],
        ["ncat", "-l", "-v", "-k", "-c", "env", "127.0.0.1", "PORT"],
    ],
    ids=" ".join,
)
def test_program_inherits_no_secret(words: list[str]) -> None:
    secrets = dict.fromkeys(("WIRECAT_PROXY_AUTH", "WIRECAT_SERVE_AUTH", "NCAT_PROXY_AUTH"), LOGIN)
    words = [word.replace("PORT", str(free_port())) for word in words]
    with running(*words, **secrets) as (_, port), socket.create_connection(("127.0.0.1", port), 20) as client:
        client.shutdown(socket.SHUT_WR)
        said = b""
        while piece := client.recv(65536):
            said += piece
    assert b"PATH=" in said
    assert CANARY.encode() not in said


def test_worker_has_no_secret_in_its_command_line() -> None:
    """Workers are told everything by a pipe."""
    with running("serve", "proxy", "127.0.0.1:0", "--workers", "2", WIRECAT_PROXY_AUTH=LOGIN) as (server, _):
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        for thread in os.listdir(f"/proc/{server.pid}/task"):
            children += Path(f"/proc/{server.pid}/task/{thread}/children").read_text().split()
        assert children
        for child in children:
            assert CANARY.encode() not in Path(f"/proc/{child}/cmdline").read_bytes()


def test_help_names_the_ways_that_ps_does_not_show(tmp_path: Path) -> None:
    for verb, names in (
        ("serve", ("@FILE", "WIRECAT_SERVE_AUTH", "ps")),
        ("connect", ("@FILE", "WIRECAT_PROXY_AUTH", "ps")),
    ):
        said = run(verb, "--help", folder=tmp_path).stdout.decode()
        assert all(name in said for name in names), said
