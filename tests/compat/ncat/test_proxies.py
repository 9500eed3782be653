"""Through proxies, and as one: HTTP CONNECT, SOCKS 4, 4a and 5 as a client; the HTTP proxy server."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Callable

import pytest

from compat.ncat.harness import Listening, Ncat, both, everything, exactly, is_silent, ours, still_runs
from plain_peers import free_port

OK = b"HTTP/1.0 200 OK\r\nX: y\r\n\r\n"
Step = tuple[bytes, bytes]


def conversation(ncat: Ncat, *steps: Step, connections: int = 1) -> tuple[int, list[bytes], threading.Thread]:
    """A plain proxy: each step is what must have come (its end), and what is answered. The port, and all that came."""
    server = ncat.plain()
    came: list[bytes] = []

    def run() -> None:
        waiting = list(steps)
        for _ in range(connections):
            peer = server.accept()
            data = b""
            while waiting:
                expected, answer = waiting[0]
                while not data.endswith(expected) or not data:
                    piece = peer.recv(4096)
                    if not piece:
                        break
                    data += piece
                came.append(data)
                data = b""
                waiting.pop(0)
                peer.sendall(answer)
                if answer.startswith(b"HTTP/1.0 407") and connections > 1:
                    break
            peer.shutdown(socket.SHUT_WR)

    def run_to_the_end() -> None:
        with contextlib.suppress(OSError):
            run()

    thread = threading.Thread(target=run_to_the_end, daemon=True)
    thread.start()
    return server.port, came, thread


END = b"\r\n\r\n"


@both
@pytest.mark.parametrize(("host", "target"), [("example.org", b"example.org:80"), ("::1", b"[::1]:80")])
def test_connect(ncat: Ncat, host: str, target: bytes) -> None:
    port, came, thread = conversation(ncat, (END, OK + b"EARLY"))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", host, "80")
    assert (ended.code, ended.out, ended.err) == (0, b"EARLY", "")
    thread.join()
    assert came[0].startswith(b"CONNECT " + target + b" HTTP/1.")


@both
def test_what_verbose_says_of_names(ncat: Ncat) -> None:
    port, _, _ = conversation(ncat, (END, OK))
    ended = ncat.run("-v", "--proxy", f"127.0.0.1:{port}", "example.org", "80")
    assert "Ncat: Host example.org will be resolved by the proxy.\n" in ended.err


@both
def test_a_proxy_that_refuses(ncat: Ncat) -> None:
    port, _, _ = conversation(ncat, (END, b"HTTP/1.0 403 Forbidden\r\n\r\n"))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "127.0.0.1", "80")
    assert (ended.code, ended.err) == (1, "Ncat: Proxy returned status code 403.\n")


@both
def test_a_proxy_that_says_nothing(ncat: Ncat) -> None:
    port, _, _ = conversation(ncat, (END, b""))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "127.0.0.1", "80")
    assert (ended.code, ended.err) == (1, "Ncat: Error reading proxy response Status-Line.\n")


@both
def test_a_proxy_that_wants_what_is_not_known(ncat: Ncat) -> None:
    port, _, _ = conversation(ncat, (END, b"HTTP/1.0 407 Who\r\nProxy-Authenticate: NTLM\r\n\r\n"))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-auth", "u:p", "127.0.0.1", "80")
    assert (ended.code, ended.err) == (2, "Ncat: Unknown authentication type. QUITTING.\n")


@both
@pytest.mark.parametrize("how", ["option", "environment"])
def test_basic(ncat: Ncat, how: str) -> None:
    ask = b'HTTP/1.0 407 Who\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n'
    port, came, thread = conversation(ncat, (END, ask), (END, OK + b"in"), connections=2)
    options = ["--proxy-auth", "user:word"] if how == "option" else []
    variables: dict[str, str | None] = {} if options else {"NCAT_PROXY_AUTH": "user:word"}
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", *options, "127.0.0.1", "80", env=variables)
    assert (ended.code, ended.out) == (0, b"in")
    thread.join()
    assert b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"user:word") + b"\r\n" in came[1]


@both
def test_digest_before_basic(ncat: Ncat) -> None:
    ask = (
        b'HTTP/1.0 407 Who\r\nProxy-Authenticate: Basic realm="x"\r\n'
        b'Proxy-Authenticate: Digest realm="x", nonce="n", qop="auth"\r\n\r\n'
    )
    port, came, thread = conversation(ncat, (END, ask), (END, OK), connections=2)
    assert ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-auth", "u:p", "127.0.0.1", "80").code == 0
    thread.join()
    assert b'Proxy-Authorization: Digest username="u", realm="x", nonce="n", uri="127.0.0.1:80"' in came[1]


@both
def test_no_credentials(ncat: Ncat) -> None:
    port, _, _ = conversation(ncat, (END, b'HTTP/1.0 407 Who\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n'))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "127.0.0.1", "80")
    assert (ended.code, ended.err) == (1, "Ncat: Proxy returned status code 407.\n")


@both
@pytest.mark.parametrize("kind", ["http", "socks4", "socks5"])
def test_the_default_port_of_a_proxy_that_is_not_there(ncat: Ncat, kind: str) -> None:
    ended = ncat.run("--proxy", "127.0.0.77", "--proxy-type", kind, "127.0.0.1", "80")
    assert (ended.code, ended.err) == (1, "Ncat: Proxy connection failed: Connection refused.\n")


GRANTED_4 = b"\0\x5a\0\0\0\0\0\0"
SOCKS4 = [
    ([], "127.0.0.1", b"\4\1\0\x50\x7f\0\0\1\0"),
    (["--proxy-auth", "joe"], "127.0.0.1", b"\4\1\0\x50\x7f\0\0\1joe\0"),
    ([], "name.test", b"\4\1\0\x50\0\0\0\1\0name.test\0"),
    (["--proxy-dns", "remote"], "localhost", b"\4\1\0\x50\0\0\0\1\0localhost\0"),
    (["--proxy-dns", "local"], "localhost", b"\4\1\0\x50\x7f\0\0\1\0"),
    (["--proxy-dns", "both"], "localhost", b"\4\1\0\x50\x7f\0\0\1\0"),
    (["--proxy-dns", "both"], "nosuch.invalid", b"\4\1\0\x50\0\0\0\1\0nosuch.invalid\0"),
]


@both
@pytest.mark.parametrize(("options", "host", "request_"), SOCKS4, ids=[" ".join((*row[0], row[1])) for row in SOCKS4])
def test_socks4(ncat: Ncat, options: list[str], host: str, request_: bytes) -> None:
    port, came, thread = conversation(ncat, (request_, GRANTED_4 + b"EARLY"))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-type", "socks4", *options, host, "80")
    assert (ended.code, ended.out) == (0, b"EARLY")
    thread.join()
    assert came == [request_]


@both
@pytest.mark.parametrize("code", [0x5B, 0x5C, 0x5D])
def test_socks4_refused(ncat: Ncat, code: int) -> None:
    port, _, _ = conversation(ncat, (b"\x7f\0\0\1\0", bytes([0, code, 0, 0, 0, 0, 0, 0])))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-type", "socks4", "127.0.0.1", "80")
    assert (ended.code, ended.err) == (1, "Ncat: Proxy connection failed.\n")


@both
def test_socks4_cut_short(ncat: Ncat) -> None:
    port, _, _ = conversation(ncat, (b"\x7f\0\0\1\0", b"\0\x5a\0"))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-type", "socks4", "127.0.0.1", "80")
    assert (ended.code, ended.err) == (1, "Ncat: Error: short response from proxy.\n")


@both
def test_socks4_knows_no_ipv6(ncat: Ncat) -> None:
    server = ncat.plain()
    ended = ncat.run("--proxy", f"127.0.0.1:{server.port}", "--proxy-type", "socks4", "::1", "80")
    assert (ended.code, ended.err) == (1, "Ncat: Error: IPv6 addresses are not supported with Socks4.\n")


GRANTED_5 = b"\5\0\0\1\0\0\0\0\0\0"
SOCKS5 = [
    ([], "127.0.0.1", b"\5\1\0\1\x7f\0\0\1\0\x50"),
    ([], "::1", b"\5\1\0\4" + b"\0" * 15 + b"\1\0\x50"),
    ([], "name.test", b"\5\1\0\3\x09name.test\0\x50"),
    (["--proxy-dns", "local"], "localhost", b"\5\1\0\1\x7f\0\0\1\0\x50"),
]


@both
@pytest.mark.parametrize(("options", "host", "request_"), SOCKS5, ids=[" ".join((*row[0], row[1])) for row in SOCKS5])
def test_socks5(ncat: Ncat, options: list[str], host: str, request_: bytes) -> None:
    port, came, thread = conversation(ncat, (b"\5\1\0", b"\5\0"), (request_, GRANTED_5 + b"EARLY"))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-type", "socks5", *options, host, "80")
    assert (ended.code, ended.out) == (0, b"EARLY"), ended
    thread.join()
    assert came == [b"\5\1\0", request_]


@ours
def test_socks5_with_a_password(ncat: Ncat) -> None:
    port, came, thread = conversation(
        ncat,
        (b"\5\2\0\2", b"\5\2"),
        (b"\1\1u\1p", b"\1\0"),
        (b"\0\x50", GRANTED_5 + b"in"),
    )
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-type", "socks5", "--proxy-auth", "u:p", "127.0.0.1", "80")
    assert (ended.code, ended.out) == (0, b"in")
    thread.join()
    assert came[1] == b"\1\1u\1p"


REASONS = {
    1: "general SOCKS server failure", 2: "connection not allowed by ruleset", 3: "Network unreachable",
    4: "Host unreachable", 5: "Connection refused", 6: "TTL expired", 7: "Command not supported",
    8: "Address type not supported", 9: "unassigned value in the reply",
}  # fmt: skip


@both
@pytest.mark.parametrize("code", REASONS)
def test_socks5_refused(ncat: Ncat, code: int) -> None:
    port, _, _ = conversation(ncat, (b"\5\1\0", b"\5\0"), (b"\0\x50", bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])))
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-type", "socks5", "127.0.0.1", "80")
    assert (ended.code, ended.err) == (1, f"Ncat: Error: {REASONS[code]}.\n")


WRONG = [
    ("no method", [], (b"\5\1\0", b"\5\xff"), "Error: no acceptable authentication method proposed."),
    ("version", [], (b"\5\1\0", b"\4\0"), "Error: wrong SOCKS version in connect response."),
    ("a method", [], (b"\5\1\0", b"\5\2"), "Error: proxy selected invalid authentication method."),
]


@both
@pytest.mark.parametrize(("name", "options", "step", "told"), WRONG, ids=[row[0] for row in WRONG])
def test_socks5_wrong(ncat: Ncat, name: str, options: list[str], step: Step, told: str) -> None:
    port, _, _ = conversation(ncat, step)
    ended = ncat.run("--proxy", f"127.0.0.1:{port}", "--proxy-type", "socks5", *options, "127.0.0.1", "80")
    assert (ended.code, ended.err) == (1, f"Ncat: {told}\n")


@both
@pytest.mark.parametrize("where", ["local", "none"])
def test_names_that_are_not_looked_up(ncat: Ncat, where: str) -> None:
    server = ncat.plain()
    ended = ncat.run("--proxy", f"127.0.0.1:{server.port}", "--proxy-dns", where, "nosuch.invalid", "80")
    assert (ended.code, ended.err) == (1, "Ncat: Error: Failed to resolve host nosuch.invalid locally.\n")


@both
def test_a_source_port_through_a_proxy(ncat: Ncat) -> None:
    server = ncat.plain()
    port = free_port()
    ncat.start("-p", port, "--proxy", f"127.0.0.1:{server.port}", "127.0.0.1", "80")
    accepted, place = server.socket.accept()
    accepted.close()
    assert place[1] == port


@ours
def test_tls_through_a_proxy(ncat: Ncat) -> None:
    proxy = proxying(ncat)
    listener = ncat.listen("--ssl", "-e", "/bin/cat")
    ended = ncat.run("--ssl", "--proxy", f"127.0.0.1:{proxy.port}", "127.0.0.1", listener.port, input=b"secret")
    assert (ended.code, ended.out) == (0, b"secret")


# As a proxy


def proxying(ncat: Ncat, *options: str) -> Listening:
    return ncat.listen("--proxy-type", "http", *options)


def ask(ncat: Ncat, port: int, request: bytes) -> bytes:
    client = ncat.dial(port)
    client.sendall(request)
    return everything(client)


def head(client: socket.socket) -> bytes:
    """The head of a response, and no byte more."""
    data = b""
    while not data.endswith(END):
        data += exactly(client, 1)
    return data


def web(ncat: Ncat, answer: bytes, clients: int = 1) -> tuple[int, list[bytes]]:
    """A plain HTTP server that answers when the whole head, and what it says that follows, has come."""
    server = ncat.plain()
    came: list[bytes] = []

    def run() -> None:
        for _ in range(clients):
            with server.accept() as peer:
                data = b""
                while END not in data or (b"POST" in data and not data.endswith((b"abc", b"0\r\n\r\n"))):
                    piece = peer.recv(4096)
                    if not piece:
                        break
                    data += piece
                came.append(data)
                peer.sendall(answer)

    def run_to_the_end() -> None:
        with contextlib.suppress(OSError):  # nobody came: a test that looks for what came sees that
            run()

    threading.Thread(target=run_to_the_end, daemon=True).start()
    return server.port, came


HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-A: b\r\n\r\nhello"


@both
@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"])
def test_requests(ncat: Ncat, method: bytes) -> None:
    port, came = web(ncat, HELLO if method != b"HEAD" else HELLO.removesuffix(b"hello"))
    proxy = proxying(ncat)
    length = b"Content-Length: 3\r\n" if method == b"POST" else b""
    body = b"abc" if method == b"POST" else b""
    answer = ask(
        ncat,
        proxy.port,
        method
        + b" http://127.0.0.1:%d/a%%20b?c HTTP/1.1\r\nHost: other\r\n" % port
        + length
        + b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 3\r\nUser-Agent: me\r\n\r\n"
        + body,
    )
    assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"X-A: b\r\n" in answer
    assert answer.endswith(b"\r\n\r\nhello" if method != b"HEAD" else END)
    head, _, rest = came[0].partition(END)
    assert head.startswith(method + b" /a%20b?c HTTP/1.")
    assert b"\r\nHost: 127.0.0.1:%d" % port in head
    assert b"\r\nUser-Agent: me" in head
    for gone in (b"X-Hop", b"Keep-Alive", b"other"):
        assert gone not in head
    assert rest == body


@ours
def test_a_chunked_request(ncat: Ncat) -> None:
    port, came = web(ncat, HELLO)
    request = b"POST http://127.0.0.1:%d/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" % port
    assert ask(ncat, proxying(ncat).port, request).endswith(b"hello")
    assert b"abc" in came[0]


@both
def test_a_tunnel(ncat: Ncat) -> None:
    server = ncat.plain()
    proxy = proxying(ncat)
    client = ncat.dial(proxy.port)
    client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.0\r\n\r\nearly" % server.port)
    peer = server.accept()
    assert exactly(peer, 5) == b"early"
    answer = b""
    while END not in answer:
        answer += client.recv(100)
    assert answer.startswith(b"HTTP/1.0 200")
    peer.sendall(b"back")
    assert exactly(client, 4) == b"back"
    client.sendall(b"forth")
    assert exactly(peer, 5) == b"forth"


BAD: list[tuple[str, Callable[[int], bytes], bytes]] = [
    ("method", lambda port: b"PUT http://127.0.0.1/ HTTP/1.0\r\n\r\n", b"405"),
    ("relative", lambda port: b"GET / HTTP/1.0\r\n\r\n", b"400"),
    ("https", lambda port: b"GET https://127.0.0.1/ HTTP/1.0\r\n\r\n", b"400"),
    ("garbage", lambda port: b"garbage\r\n\r\n", b"400"),
    ("no port", lambda port: b"CONNECT 127.0.0.1 HTTP/1.0\r\n\r\n", b"400"),
    ("header", lambda port: b"GET http://127.0.0.1/ HTTP/1.0\r\nno field\r\n\r\n", b"400"),
    ("itself", lambda port: b"GET http://127.0.0.1:%d/ HTTP/1.0\r\n\r\n" % port, b"403"),
    ("nobody", lambda port: b"GET http://127.0.0.1:1/ HTTP/1.0\r\n\r\n", b"504"),
    ("nobody's tunnel", lambda port: b"CONNECT 127.0.0.1:1 HTTP/1.0\r\n\r\n", b"504"),
    ("nobody's IPv6", lambda port: b"CONNECT [::1]:1 HTTP/1.0\r\n\r\n", b"504"),
    ("unknown", lambda port: b"GET http://nosuch.invalid/ HTTP/1.0\r\n\r\n", b"504"),
    ("long line", lambda port: b"GET http://127.0.0.1/" + b"a" * 20000 + b" HTTP/1.0\r\n\r\n", b"4"),
    ("long field", lambda port: b"GET http://127.0.0.1/ HTTP/1.0\r\nX: " + b"a" * 100000 + END, b"4"),
]


@both
@pytest.mark.parametrize(("name", "request_", "status"), BAD, ids=[row[0] for row in BAD])
def test_requests_that_cannot_be(ncat: Ncat, name: str, request_: Callable[[int], bytes], status: bytes) -> None:
    proxy = proxying(ncat)
    client = ncat.dial(proxy.port)
    client.sendall(request_(proxy.port))
    assert client.recv(4096).startswith(b"HTTP/1.0 " + status)


@ours
@pytest.mark.parametrize("length", [b"", b"Content-Length: x\r\n", b"Content-Length: 1\r\nContent-Length: 2\r\n"])
def test_lengths_that_cannot_be(ncat: Ncat, length: bytes) -> None:
    request = b"POST http://127.0.0.1:1/ HTTP/1.0\r\n" + length + b"\r\n"
    assert ask(ncat, proxying(ncat).port, request).startswith(b"HTTP/1.0 400")


@both
def test_the_idle_timeout_is_not_for_a_proxy(ncat: Ncat) -> None:
    proxy = proxying(ncat, "-i", "100ms")
    client = ncat.dial(proxy.port)
    assert is_silent(client, 0.5)
    assert still_runs(proxy.program, 0.05)


@both
def test_connect_to_the_proxy_itself_opens_a_tunnel(ncat: Ncat) -> None:
    proxy = proxying(ncat)
    client = ncat.dial(proxy.port)
    for _ in range(3):
        client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.0\r\n\r\n" % proxy.port)
        assert head(client).startswith(b"HTTP/1.0 200 OK\r\n")
    client.sendall(b"FOO / HTTP/1.0\r\n\r\n")
    assert everything(client).startswith(b"HTTP/1.0 40")


@both
@pytest.mark.parametrize("through_a_tunnel", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_other_requests_for_the_proxy_itself_are_refused(ncat: Ncat, method: str, through_a_tunnel: bool) -> None:
    proxy = proxying(ncat)
    client = ncat.dial(proxy.port)
    if through_a_tunnel:
        client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.0\r\n\r\n" % proxy.port)
        assert head(client).startswith(b"HTTP/1.0 200 OK\r\n")
    client.sendall(f"{method} http://127.0.0.1:{proxy.port}/ HTTP/1.0\r\nContent-Length: 0\r\n\r\n".encode())
    assert everything(client).startswith(b"HTTP/1.0 403 ")


@both
def test_who_may_use_it(ncat: Ncat) -> None:
    port, _ = web(ncat, HELLO, clients=2)
    proxy = proxying(ncat, "--proxy-auth", "user:word")
    request = b"GET http://127.0.0.1:%d/ HTTP/1.0\r\n" % port
    answer = ask(ncat, proxy.port, request + b"\r\n")
    assert answer.startswith(b"HTTP/1.0 407 Proxy Authentication Required\r\n")
    assert b'\r\nProxy-Authenticate: Basic realm="Ncat"\r\n' in answer
    assert b'\r\nProxy-Authenticate: Digest realm="Ncat", nonce="' in answer
    wrong, right = (base64.b64encode(b"user:" + word) for word in (b"wrong", b"word"))
    assert ask(ncat, proxy.port, request + b"Proxy-Authorization: Basic " + wrong + END).startswith(b"HTTP/1.0 407")
    assert ask(ncat, proxy.port, request + b"Proxy-Authorization: Basic " + right + END).endswith(b"hello")


@ours
@pytest.mark.parametrize("options", [[], ["--proxy-auth", "user:word"]])
def test_one_through_the_other(ncat: Ncat, options: list[str]) -> None:
    proxy = proxying(ncat, *options)
    listener = ncat.listen("-k", "-c", "cat")
    for text in (b"once", b"and again"):
        ended = ncat.run("--proxy", f"127.0.0.1:{proxy.port}", *options, "127.0.0.1", listener.port, input=text)
        assert (ended.code, ended.out) == (0, text)


@ours
def test_the_default_port(ncat: Ncat) -> None:
    program = ncat.start("-v", "-l", "--proxy-type", "http", "127.0.0.78")
    program.wait_for("stderr", rb"Ncat: Listening on 127\.0\.0\.78:3128\n|bind to 127\.0\.0\.78:3128")


@both
@pytest.mark.parametrize(
    ("name", "request_", "status"),
    [
        ("long target", b"GET http://127.0.0.1:1/" + b"a" * 9000 + b" HTTP/1.0\r\n\r\n", b"413"),
        ("long field", b"GET http://127.0.0.1:1/ HTTP/1.0\r\nA: " + b"b" * 70000 + b"\r\n\r\n", b"413"),
        ("many fields", b"GET http://127.0.0.1:1/ HTTP/1.0\r\n" + b"A: b\r\n" * 5000 + b"\r\n", b"413"),
        ("no version", b"GET http://127.0.0.1:1/\r\n\r\n", b"504"),
        ("another version", b"GET http://127.0.0.1:1/ HTTP/2.0\r\n\r\n", b"504"),
        ("http 0.9", b"CONNECT 127.0.0.1:1 HTTP/0.9\r\n\r\n", b"504"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_heads_that_are_too_long_and_versions(ncat: Ncat, name: str, request_: bytes, status: bytes) -> None:
    client = ncat.dial(proxying(ncat).port)
    with contextlib.suppress(ConnectionError):  # the oracle does not read to the end
        client.sendall(request_)
    assert exactly(client, 12) == b"HTTP/1.0 " + status


@both
def test_crlf_is_not_for_what_a_proxy_passes_on(ncat: Ncat) -> None:
    port, _ = web(ncat, b"HTTP/1.0 200 OK\r\n\r\na\nb\n")
    proxy = proxying(ncat, "-C")
    assert ask(ncat, proxy.port, b"GET http://127.0.0.1:%d/ HTTP/1.0\r\n\r\n" % port).endswith(b"\r\n\r\na\nb\n")
