"""Connecting by way of a proxy: against proxies of plain sockets. Real ones are in interop/test_proxies.py."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from background import PATIENCE, Background
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import PlainServer, refusing, reset, serving, wait_for_end
from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints import open_stream
from wirecat.endpoints.proxy import TunnelStream, proxy_of
from wirecat.errors import AddressError, NoAnswer, ProxyError, Refused, UnknownHost, UsageError


def exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        assert piece, f"ended after {data!r}"
        data += piece
    return data


def until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        data += exactly(connection, 1)
    return data


def slowly(connection: socket.socket, data: bytes) -> None:
    """One byte a segment: whoever reads gets them one by one."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        connection.sendall(bytes([byte]))


def target(connection: socket.socket, reply: bytes, *, at_once: bool) -> None:
    """The end of a handshake, and then the target: it greets, and echoes to its end."""
    if at_once:
        connection.sendall(reply + b"greeting")
    else:
        slowly(connection, reply + b"greeting")
    while data := connection.recv(1000):
        connection.sendall(data)


def socks5(connection: socket.socket, at_once: bool = True) -> tuple[str, int]:
    """A SOCKS 5 proxy (RFC 1928) that is the target as well; what it was asked for."""
    version, count = exactly(connection, 2)
    assert version == 5
    assert 0 in exactly(connection, count)
    connection.sendall(b"\x05\x00")
    assert exactly(connection, 3) == b"\x05\x01\x00"
    kind = exactly(connection, 1)[0]
    if kind == 3:
        host = exactly(connection, exactly(connection, 1)[0]).decode()
    else:
        host = socket.inet_ntop({1: socket.AF_INET, 4: socket.AF_INET6}[kind], exactly(connection, {1: 4, 4: 16}[kind]))
    port = int.from_bytes(exactly(connection, 2), "big")
    target(connection, b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38", at_once=at_once)
    return host, port


def socks4(connection: socket.socket, at_once: bool = True) -> tuple[str, int, str]:
    head = exactly(connection, 8)
    assert head[:2] == b"\x04\x01"
    user = until(connection, b"\0")[:-1].decode()
    host = socket.inet_ntoa(head[4:])
    if head[4:7] == bytes(3):
        host = until(connection, b"\0")[:-1].decode()
    target(connection, b"\x00\x5a" + bytes(6), at_once=at_once)
    return host, int.from_bytes(head[2:4], "big"), user


def http(connection: socket.socket, at_once: bool = True) -> str:
    head = until(connection, b"\r\n\r\n").decode()
    target(connection, b"HTTP/1.1 200 Fine\r\nVia: test\r\n\r\n", at_once=at_once)
    return head.split("\r\n")[0]


@contextlib.contextmanager
def proxy(behaviour: Callable[[socket.socket], object], clients: int = 1) -> Iterator[PlainServer]:
    with serving(behaviour, clients=clients) as server:
        yield server


def through(kind: str, server: PlainServer, text: str = "example.org:80", **options: str) -> TunnelStream:
    address = Address.parse(text)
    pairs = (("proxy", f"{kind}://127.0.0.1:{server.port}"), *options.items())
    stream = open_stream(address.replace(options=pairs), Deadline(PATIENCE))
    assert isinstance(stream, TunnelStream)
    return stream


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("kind", "behaviour", "asked"),
    [
        ("socks5", socks5, ("example.org", 80)),
        ("socks5h", socks5, ("example.org", 80)),
        ("socks4", socks4, ("example.org", 80, "")),
        ("socks4a", socks4, ("example.org", 80, "")),
        ("http", http, "CONNECT example.org:80 HTTP/1.0"),
    ],
)
def test_every_kind_loses_no_byte(
    kind: str, behaviour: Callable[[socket.socket, bool], object], asked: object, at_once: bool
) -> None:
    with proxy(lambda connection: behaviour(connection, at_once)) as server:
        stream = through(kind, server)
        assert stream.peer == Address("tcp", "example.org", 80)
        assert stream.proxy == Address(kind, "127.0.0.1", server.port)
        assert stream.local.host == "127.0.0.1"
        with Connection(stream) as connection:
            assert connection.receive_exactly(8) == b"greeting", "not one byte of the proxy's, all of the target's"
            connection.send(b"hello")
            assert connection.receive_exactly(5) == b"hello"
            connection.half_close()
            assert connection.receive() is None
        assert server.result() == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[2001:db8::1]:80", ("2001:db8::1", 80)), ("80", ("localhost", 80))],
)
def test_addresses_are_told_as_addresses(text: str, asked: tuple[str, int]) -> None:
    with proxy(socks5) as server:
        through("socks5", server, text).close()
        assert server.result() == asked


def test_who_looks_up_the_name() -> None:
    for lookup, kind, behaviour, asked in (
        ("local", "socks5", socks5, ("127.0.0.1", 80)),
        ("local", "socks4", socks4, ("127.0.0.1", 80, "")),
        ("remote", "socks5", socks5, ("localhost", 80)),
        ("both", "socks5", socks5, ("127.0.0.1", 80)),
        ("local", "socks5h", socks5, ("localhost", 80)),
    ):
        with proxy(behaviour) as server:
            through(kind, server, "localhost:80", proxy_dns=lookup, family="4").close()
            assert server.result() == asked, lookup
    with proxy(socks5) as server:
        through("socks5", server, "no.such.host.invalid:80", proxy_dns="both").close()
        assert server.result() == ("no.such.host.invalid", 80)
    place = Address.parse("no.such.host.invalid:80?proxy=socks5://127.0.0.1:1&proxy_dns=local")
    with pytest.raises(UnknownHost):
        open_stream(place, Deadline(PATIENCE))
    with pytest.raises(UsageError, match="nobody may look it up"):
        open_stream(Address.parse("name:80?proxy=socks5://127.0.0.1:1&proxy_dns=none"), Deadline(PATIENCE))
    with pytest.raises(AddressError, match="proxy_dns=x is not known"):
        open_stream(Address.parse("name:80?proxy=socks5://127.0.0.1:1&proxy_dns=x"), Deadline(PATIENCE))


def test_logging_in() -> None:
    def asks(connection: socket.socket) -> bytes:
        count = exactly(connection, 2)[1]
        assert 2 in exactly(connection, count)
        connection.sendall(b"\x05\x02")
        head = exactly(connection, 2)
        said = exactly(connection, head[1])
        said += b":" + exactly(connection, exactly(connection, 1)[0])
        connection.sendall(b"\x01\x01")  # any other than 0 is a no
        wait_for_end(connection)
        return said

    with proxy(asks) as server:
        with pytest.raises(ProxyError, match="refused the user name or password") as caught:
            through("socks5", server, proxy_auth="me:se:cret")
        assert caught.value.kind == "credentials"
        assert "cret" not in str(caught.value)
        assert server.result() == b"me:se:cret"
    with proxy(socks4) as server:
        through("socks4", server, proxy_auth="me").close()
        assert server.result() == ("example.org", 80, "me")


def test_an_http_proxy_that_asks_is_answered_on_a_new_connection() -> None:
    heads: list[str] = []

    def asks(connection: socket.socket) -> None:
        head = until(connection, b"\r\n\r\n").decode()
        heads.append(head)
        if "Proxy-Authorization" not in head:
            connection.sendall(
                b'HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 4\r\n\r\nbody'
            )
            return
        target(connection, b"HTTP/1.1 200 Fine\r\n\r\n", at_once=True)

    with proxy(asks, clients=2) as server:
        stream = through("http", server, proxy_auth="me:secret")
        assert stream.receive(100) == b"greeting"
        stream.close()
    assert len(heads) == 2
    assert "Proxy-Authorization: Basic bWU6c2VjcmV0" in heads[1]


def test_an_http_proxy_that_keeps_the_connection_is_answered_there() -> None:
    def asks(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        connection.sendall(
            b'HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm="x"\r\nConnection: keep-alive\r\n'
            b"Content-Length: 4\r\n\r\nbody"
        )
        assert b"Proxy-Authorization" in until(connection, b"\r\n\r\n")
        target(connection, b"HTTP/1.1 200 Fine\r\n\r\n", at_once=True)

    with proxy(asks) as server:
        stream = through("http", server, proxy_auth="me:secret")
        assert stream.receive(100) == b"greeting"
        stream.close()


@pytest.mark.parametrize("how", ["end", "reset", "reset in the body"])
def test_an_http_proxy_that_does_not_keep_what_it_says(how: str) -> None:
    """It promises to keep the connection, and closes or resets it: the request goes out again on a new one."""
    heads: list[bytes] = []

    def asks(connection: socket.socket) -> None:
        heads.append(until(connection, b"\r\n\r\n"))
        if b"Proxy-Authorization" in heads[-1] and len(heads) > 2 - (how == "reset in the body"):
            target(connection, b"HTTP/1.1 200 Fine\r\n\r\n", at_once=True)
            return
        connection.sendall(
            b'HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm="x"\r\nConnection: keep-alive\r\n'
            b"Content-Length: 4\r\n\r\nbo"
        )
        if how != "reset in the body":
            connection.sendall(b"dy")
            heads.append(until(connection, b"\r\n\r\n"))
        if how != "end":
            reset(connection)

    with proxy(asks, clients=2) as server:
        stream = through("http", server, proxy_auth="me:secret")
        assert stream.receive(100) == b"greeting"
        stream.close()
    assert len(heads) == (2 if how == "reset in the body" else 3)
    assert b"Proxy-Authorization" in heads[-1]


def test_an_http_proxy_that_resets_every_time_is_given_up() -> None:
    def asks(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        reset(connection)

    with proxy(asks) as server:
        with pytest.raises(ProxyError, match="broke the connection off") as caught:
            through("http", server, proxy_auth="me:secret")
        assert caught.value.kind == "closed"


# What a proxy may do instead


def says(*pieces: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        for piece in pieces:
            connection.recv(1000)
            connection.sendall(piece)
        wait_for_end(connection)

    return behave


@pytest.mark.parametrize(
    ("kind", "pieces", "match", "why"),
    [
        ("socks5", (b"\x05\x00", b"\x05\x05\x00\x01" + bytes(6)), "refused", "refused"),
        ("socks5", (b"\x05\xff",), "user name and password", "credentials"),
        ("socks5", (b"HTTP/1.1 400 Bad Request\r\n\r\n",), "no SOCKS 5 proxy", "malformed"),
        ("socks4", (b"\x00\x5b" + bytes(6),), "refused", "refused"),
        ("http", (b"HTTP/1.1 403 Forbidden\r\n\r\n",), "403 Forbidden", "refused"),
        ("http", (b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\n\r\n",), "--proxy-auth", "credentials"),
        ("http", (b"SSH-2.0-OpenSSH_9.2\r\n\r\n",), "no HTTP proxy", "malformed"),
    ],
)
def test_a_proxy_that_refuses(kind: str, pieces: tuple[bytes, ...], match: str, why: str) -> None:
    with proxy(says(*pieces)) as server:
        with pytest.raises(ProxyError, match=match) as caught:
            through(kind, server)
        assert caught.value.kind == why
        assert caught.value.exit_code == 1


def test_a_proxy_that_hangs_up() -> None:
    with proxy(lambda connection: connection.recv(1000)) as server:
        with pytest.raises(ProxyError, match="closed the connection") as caught:
            through("socks5", server)
        assert caught.value.kind == "closed"


def test_a_proxy_that_resets() -> None:
    with proxy(lambda connection: (connection.recv(1), reset(connection))) as server:
        with pytest.raises(ProxyError, match="broke the connection off") as caught:
            through("socks5", server)
        assert caught.value.kind == "closed"


def test_a_proxy_that_stalls_or_drips() -> None:
    over = threading.Event()

    def drips(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK and much more to say before it comes to an end" * 10:
                connection.sendall(bytes([byte]))
                if over.wait(0.05):
                    return

    for behaviour in (drips, wait_for_end):
        with serving(behaviour) as server:
            with pytest.raises(NoAnswer, match=r"proxy http://127.*no answer in 0\.3 s"):
                place = Address("tcp", "x", 1, options=(("proxy", f"http://127.0.0.1:{server.port}"),))
                open_stream(place, Deadline(0.3))
            over.set()


def test_a_proxy_that_is_not_there_is_named() -> None:
    with refusing() as port, pytest.raises(Refused) as caught:
        open_stream(Address.parse(f"example.org:80?proxy=socks5://127.0.0.1:{port}&proxy_auth=u:secret"), Deadline(9))
    assert f"socks5://127.0.0.1:{port}" in str(caught.value)
    assert "secret" not in str(caught.value)


# How it is said


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("socks5://p:1", Address("socks5", "p", 1)),
        ("SOCKS5://p", Address("socks5", "p", 1080)),
        ("socks4://p", Address("socks4", "p", 1080)),
        ("http://p", Address("http", "p", 3128)),
        ("http://p:80/", Address("http", "p", 80)),
        ("http://[::1]", Address("http", "::1", 3128)),
        ("http://[::1]:80", Address("http", "::1", 80)),
        ("http://8080", Address("http", None, 8080)),
    ],
)
def test_a_proxys_address(text: str, proxy: Address) -> None:
    assert proxy_of(Address("tcp", "x", 1, options=(("proxy", text),))) == proxy


@pytest.mark.parametrize(
    "text",
    [
        "p",
        "p:1080",
        "ftp://p:1",
        "socks5:p",
        "ftp://u:p@p",
        "u:p@p:1",
        "http://u:p@",
        "http://p:1/x",
        "http://",
        "http://p:0",
    ],
)
def test_what_is_no_proxy(text: str) -> None:
    with pytest.raises(AddressError):
        proxy_of(Address("tcp", "x", 1, options=(("proxy", text),)))


def test_the_source_is_that_of_the_way_to_the_proxy() -> None:
    seen: list[str] = []

    def behave(connection: socket.socket) -> object:
        seen.append(connection.getpeername()[0])
        return socks5(connection)

    with proxy(behave) as server:
        through("socks5", server, source="127.0.0.2").close()
        server.result()
    assert seen == ["127.0.0.2"]


def test_tls_through_a_proxy() -> None:
    """The proxy sees nothing but bytes; the certificate is the target's."""
    import ssl

    from wirecat.endpoints.tls_context import server_context

    def behave(connection: socket.socket) -> bytes:
        exactly(connection, 3)
        connection.sendall(b"\x05\x00")
        exactly(connection, 5 + len("localhost") + 2)
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        with server_context().wrap_socket(connection, server_side=True) as secured:
            assert isinstance(secured, ssl.SSLSocket)
            secured.sendall(b"secret")
            return secured.recv(10)

    with proxy(behave) as server:
        text = f"tls://localhost:1?verify=no&proxy=socks5://127.0.0.1:{server.port}"
        with Background(lambda: open_stream(Address.parse(text), Deadline(PATIENCE))) as opening:
            stream = opening.result()
        assert stream.receive(10) == b"secret"
        stream.send(b"yes")
        assert server.result() == b"yes"
        stream.close()
