"""wirecat's HTTP proxy with programs that people use through one: curl, ncat, socat, nc, and wirecat itself."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers import Program, peer, wirecat_command
from server.clients import Served, serving
from server.handlers.origin import Origin

ACCOUNT = "anna:geheim"


@pytest.fixture
def proxy() -> Iterator[Served]:
    with serving("proxy") as served:
        yield served
        assert not served.failures


@pytest.fixture
def guarded() -> Iterator[Served]:
    with serving(f"proxy:{ACCOUNT}") as served:
        yield served
        assert not served.failures


def curl(proxy: Served, *arguments: str, user: str = "", expected: int = 0) -> bytes:
    """What curl prints that goes through the proxy."""
    command = [
        peer("curl"),
        "--silent",
        "--show-error",
        "--max-time",
        "15",
        "--proxy",
        f"http://127.0.0.1:{proxy.port}",
    ]
    command += ["--proxy-user", user] if user else []
    with Program([*command, *arguments]) as program:
        program.close_stdin()
        assert program.wait() == expected, program.describe()
        return program.stdout


def test_curl_gets(proxy: Served) -> None:
    with Origin() as origin:
        assert curl(proxy, f"{origin.url}/a%20b") == b"hello"
        assert origin.heads[0].startswith(b"GET /a%20b HTTP/1.1\r\n")


def test_curl_gets_several_on_one_connection(proxy: Served) -> None:
    with Origin() as origin:
        assert curl(proxy, f"{origin.url}/[1-5]") == b"hello" * 5
        assert len(origin.heads) == 5
        assert proxy.server.served == 1


def test_curl_asks_for_the_head(proxy: Served) -> None:
    with Origin() as origin:
        assert b"X-Server: here\r\n" in curl(proxy, "--head", f"{origin.url}/")


@pytest.mark.parametrize("how", ["--data-binary", "--chunked", "--upload-file"])
def test_curl_sends_a_large_body(proxy: Served, tmp_path: Path, how: str) -> None:
    """More than curl sends without being told to go on (Expect: 100-continue)."""
    file = tmp_path / "body"
    file.write_bytes(os.urandom(5_000_000))
    arguments = ["--data-binary", f"@{file}"] if how != "--upload-file" else ["--upload-file", str(file)]
    arguments += ["--header", "Transfer-Encoding: chunked"] if how == "--chunked" else []
    with Origin() as origin:
        assert curl(proxy, *arguments, f"{origin.url}/") == b"hello"
        if how != "--chunked":
            assert hashlib.sha256(origin.bodies[0]).digest() == hashlib.sha256(file.read_bytes()).digest()
        else:
            assert len(origin.bodies[0]) > 5_000_000


@pytest.mark.parametrize("how", ["--http1.0", "--http1.1"])
def test_curl_through_a_tunnel(proxy: Served, how: str) -> None:
    with Origin() as origin:
        assert curl(proxy, how, "--proxytunnel", f"{origin.url}/") == b"hello"


def test_curl_by_https_through_a_tunnel(proxy: Served) -> None:
    answer = "reply:HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with serving(answer, "tls://127.0.0.1:0") as server:
        assert curl(proxy, "--insecure", f"https://127.0.0.1:{server.port}/") == b"ok"


def test_curl_by_ipv6(proxy: Served) -> None:
    with Origin(host="::1") as origin:
        assert curl(proxy, f"http://[::1]:{origin.port}/") == b"hello"
        assert curl(proxy, "--proxytunnel", f"http://[::1]:{origin.port}/") == b"hello"


@pytest.mark.parametrize("how", ["--proxy-basic", "--proxy-digest", "--proxy-anyauth"])
@pytest.mark.parametrize("tunnel", [False, True])
def test_curl_says_who_it_is(guarded: Served, how: str, tunnel: bool) -> None:
    more = ["--proxytunnel"] if tunnel else []
    with Origin() as origin:
        assert curl(guarded, how, *more, f"{origin.url}/[1-3]", user=ACCOUNT) == b"hello" * 3
        assert len(origin.heads) == 3


@pytest.mark.parametrize("how", ["--proxy-basic", "--proxy-digest"])
def test_curl_posts_and_says_who_it_is(guarded: Served, how: str) -> None:
    with Origin() as origin:
        assert curl(guarded, how, "--data", "a=b", f"{origin.url}/", user=ACCOUNT) == b"hello"
        assert origin.bodies[-1] == b"a=b"


def test_curl_with_a_wrong_password(guarded: Served) -> None:
    with Origin() as origin:
        code = ["--output", os.devnull, "--write-out", "%{http_code}"]
        assert curl(guarded, "--proxy-digest", *code, f"{origin.url}/", user="anna:falsch") == b"407"
        assert curl(guarded, *code, f"{origin.url}/") == b"407"
        assert not origin.heads


def test_curl_and_a_server_that_is_not_there(proxy: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = ["--output", os.devnull, "--write-out", "%{http_code}"]
    assert curl(proxy, *code, f"http://127.0.0.1:{port}/") == b"502"


def test_curl_asks_the_proxy_itself(proxy: Served) -> None:
    code = ["--output", os.devnull, "--write-out", "%{http_code}"]
    assert curl(proxy, *code, f"http://127.0.0.1:{proxy.port}/") == b"403"
    with Program([peer("curl"), "--silent", *code, f"http://127.0.0.1:{proxy.port}/"]) as program:
        assert program.wait() == 0 and program.stdout == b"400"


def ncat(proxy: Served, port: int, *arguments: str) -> list[str]:
    where = ["--proxy", f"127.0.0.1:{proxy.port}", "--proxy-type", "http", *arguments]
    return [peer("ncat"), *where, "127.0.0.1", str(port)]


def socat(proxy: Served, port: int) -> list[str]:
    # -t: by itself it waits half a second for an answer, which a busy machine may need longer for.
    return [peer("socat"), "-t", "20", "-", f"PROXY:127.0.0.1:127.0.0.1:{port},proxyport={proxy.port}"]


def openbsd_nc(proxy: Served, port: int) -> list[str]:
    return [peer("nc.openbsd"), "-N", "-X", "connect", "-x", f"127.0.0.1:{proxy.port}", "127.0.0.1", str(port)]


def ourselves(proxy: Served, port: int) -> list[str]:
    return wirecat_command("connect", f"tcp://127.0.0.1:{port}?proxy=http://127.0.0.1:{proxy.port}")


@pytest.mark.parametrize("client", [ncat, socat, openbsd_nc, ourselves])
def test_a_file_through_a_tunnel_and_back(proxy: Served, tmp_path: Path, client: object) -> None:
    data = os.urandom(1_000_000)
    file = tmp_path / "data"
    file.write_bytes(data)
    with serving("echo") as echo, file.open("rb") as source:
        with Program(client(proxy, echo.port), stdin=source) as program:  # type: ignore[operator]
            assert program.wait() == 0, program.describe()
            assert hashlib.sha256(program.stdout).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("right", [True, False])
def test_ncat_says_who_it_is(guarded: Served, right: bool) -> None:
    """It takes the first Digest challenge that it is shown."""
    with serving("echo") as echo:
        with Program(ncat(guarded, echo.port, "--proxy-auth", ACCOUNT if right else "anna:falsch")) as program:
            program.send(b"hello\n")
            program.close_stdin()
            assert (program.wait() == 0) is right, program.describe()
            assert program.stdout == (b"hello\n" if right else b"")
