"""CONNECT through an HTTP proxy: what is sent, what is hidden, every cut, every refusal, and who is asked again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cutting import damaged, error_of, garbage, pieces_of, places, same_at_every_cut, same_however_cut
from wirecat.errors import ProxyError, UsageError
from wirecat.wire.digest_server import DigestServer
from wirecat.wire.http_challenge import parse_credentials
from wirecat.wire.http_proxy import ConnectClient
from wirecat.wire.http_reader import RequestReader
from wirecat.wire.proxy_authentication import ProxyAuthenticator

AUTH = ("Aladdin", "open sesame")
REQUEST = b"CONNECT example.org:443 HTTP/1.0\r\n\r\n"
BASIC = b"CONNECT example.org:443 HTTP/1.0\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
GRANTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
WANTS_BASIC = b'Proxy-Authenticate: Basic realm="x"\r\n'
WANTS_DIGEST = b'Proxy-Authenticate: Digest realm="x", nonce="n", qop="auth"\r\n'
STAYS = b"Connection: keep-alive\r\nContent-Length: 3\r\n"


def client(auth: tuple[str, str] | None = None) -> ConnectClient:
    handshake = ConnectClient("example.org", 443, auth)
    assert handshake.start() == REQUEST
    return handshake


def talk(pieces: list[bytes], auth: tuple[str, str] | None = AUTH) -> tuple[object, ...]:
    """All that can be seen of a handshake to which a proxy says these pieces, and then closes."""
    handshake = client(auth)
    sent = b""
    try:
        for piece in pieces:
            sent += handshake.receive(piece) or b""
        handshake.receive_end()
    except ProxyError as error:
        return error_of(error)
    if b"Digest" in sent:
        sent = b"a digest"  # it holds random bytes
    return sent, handshake.done, handshake.reconnect, handshake.rest if handshake.done else b""


def refused(*fields: bytes, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 407 Who are you?\r\n" + b"".join(fields) + b"\r\n" + body


@pytest.mark.parametrize(
    ("host", "port", "target"),
    [
        ("example.org", 443, b"example.org:443"),
        ("127.0.0.1", 80, b"127.0.0.1:80"),
        ("::1", 443, b"[::1]:443"),
        ("bücher.example", 1, b"xn--bcher-kva.example:1"),
    ],
)
def test_the_request(host: str, port: int, target: bytes) -> None:
    assert ConnectClient(host, port).start() == b"CONNECT " + target + b" HTTP/1.0\r\n\r\n"


def test_credentials_are_not_sent_before_they_are_asked_for() -> None:
    assert client(AUTH).receive(GRANTED) is None


@pytest.mark.parametrize(
    "host",
    ["", "a b", "a\r\nX-Mine: 1", "a\nb", "a\0b", "a/b", "user@host", "::1\r\n", "[::1]", "fe80::1%eth0", "a" * 256],
)
def test_a_host_cannot_hold_more_than_a_host(host: str) -> None:
    with pytest.raises(UsageError):
        ConnectClient(host, 443)


@pytest.mark.parametrize("auth", [("a\r\nX: y", "b"), ("a", "b\r\nX: y"), ("a:b", "c"), ("a\0", "b")])
def test_credentials_cannot_begin_a_line(auth: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        ConnectClient("host", 443, auth)


@pytest.mark.parametrize(
    "response",
    [
        GRANTED,
        b"HTTP/1.0 200\n\n",
        b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
        # RFC 9110 section 9.3.6: framing in it means nothing, the tunnel begins behind the head.
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\nA: b\r\n\r\nHTTP/1.1 299 Fine\r\nVia: x\r\n\r\n",
        b"HTTP/1.1 102\r\n\r\n" * 8 + GRANTED,
    ],
)
def test_the_response_is_hidden_and_no_byte_behind_it_is_lost(response: bytes) -> None:
    for tail in (b"", b"Hello", b"HTTP/1.1 407 No\r\n\r\n", b"\r\n"):
        assert same_at_every_cut(talk, response + tail) == (b"", True, False, tail)


@pytest.mark.parametrize(
    ("stream", "kind", "status", "says"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "refused", 403, "the proxy answered 403 Forbidden"),
        (b"HTTP/1.1 502\r\n\r\n", "refused", 502, "the proxy answered 502"),
        (b"HTTP/1.1 504 " + b"x" * 500 + b"\r\n\r\n", "refused", 504, "x" * 80),
        (b"HTTP/1.1 400 M\xfcll\xad\r\n\r\n", "refused", 400, "400 M\\xfcll\\xad"),
        (b"HTTP/1.1 301 Away\r\nLocation: x\r\n\r\n", "refused", 301, "301 Away"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "refused", 101, "101 Switching"),
        (b"HTTP/1.1 100 Wait\r\n\r\n" * 9, "malformed", 100, "does not come to the point"),
        (b"SSH-2.0-OpenSSH\r\n", "malformed", None, "no HTTP proxy"),
        (b"\x05\xff", "malformed", None, "no HTTP proxy"),
        (b"HTTP/1.1 OK\r\n\r\n", "malformed", None, "no status"),
        (b"HTTP/1.1 200 OK\r\nA\0: b\r\n\r\n", "malformed", None, "control character"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", "closed", None, "closed the connection"),
        (b"", "closed", None, "closed the connection"),
    ],
)
def test_refusals(stream: bytes, kind: str, status: int | None, says: str) -> None:
    run = same_at_every_cut if len(stream) < 200 else same_however_cut
    result = run(talk, stream)
    assert result[0] == "ProxyError"
    assert result[2:] == (status, kind)
    assert says in str(result[1])
    assert "connect example.org:443: " in str(result[1])
    assert str(result[1]).isprintable()


# 407.


def test_without_credentials_the_user_is_told() -> None:
    result = same_at_every_cut(lambda pieces: talk(pieces, None), refused(WANTS_BASIC))
    assert result[2:] == (407, "credentials")
    assert "wants a user name and password" in str(result[1])
    assert "--proxy-auth" in str(result[1])


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ([WANTS_BASIC, STAYS], BASIC),
        ([WANTS_DIGEST, STAYS], b"a digest"),
        ([WANTS_BASIC, WANTS_DIGEST, STAYS], b"a digest"),
        ([b'Proxy-Authenticate: Negotiate, Basic realm=x, Digest realm="x", nonce="n"\r\n', STAYS], b"a digest"),
        ([WANTS_BASIC, b"Proxy-Authenticate: Digest realm=x, nonce=n, algorithm=SHA-1\r\n", STAYS], BASIC),
        ([WANTS_BASIC, b"Proxy-Connection: keep-alive\r\nContent-Length: 3\r\n"], BASIC),
    ],
)
def test_on_the_same_connection_where_the_proxy_says_that_it_stays(fields: list[bytes], sent: bytes) -> None:
    stream = refused(*fields, body=b"no!") + GRANTED + b"Hello"
    assert same_at_every_cut(talk, stream) == (sent, True, False, b"Hello")


def test_a_body_in_chunks_is_gone_over_too() -> None:
    chunks = b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"
    stream = refused(WANTS_BASIC, chunks, body=b"3;a=b\r\nno!\r\n0\r\nA: b\r\n\r\n") + GRANTED + b"Hello"
    assert same_at_every_cut(talk, stream) == (BASIC, True, False, b"Hello")


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ([], b"to the end"),
        ([b"Content-Length: 3\r\n"], b"no!"),
        ([b"Connection: close\r\n", b"Content-Length: 3\r\n"], b"no!"),
        ([b"Connection: keep-alive, close\r\n", b"Content-Length: 3\r\n"], b"no!"),
        ([b"Connection: keep-alive\r\n"], b"to the end"),
        ([b"Connection: keep-alive\r\nContent-Length: 65537\r\n"], b"a long story"),
        ([b"Connection: keep-alive\r\nContent-Length: x\r\n"], b""),
        ([b"Connection: keep-alive\r\nTransfer-Encoding: gzip\r\n"], b""),
        ([b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"], b"not in chunks\r\n"),
        # It breaks off, or is never done.
        ([STAYS], b"n"),
        ([b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"], b"5\r\nHel"),
    ],
)
def test_on_a_new_connection_otherwise(fields: list[bytes], body: bytes) -> None:
    stream = refused(WANTS_BASIC, *fields, body=body)
    assert same_at_every_cut(talk, stream) == (b"", False, True, b"")
    handshake = client(AUTH)
    handshake.receive(stream)
    handshake.receive_end()
    assert handshake.start() == BASIC
    assert not handshake.reconnect
    assert handshake.receive(GRANTED + b"Hello") is None
    assert (handshake.done, handshake.rest) == (True, b"Hello")


def test_a_body_without_end_is_not_read_for_ever() -> None:
    handshake = client(AUTH)
    head = refused(WANTS_BASIC, b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n")
    assert handshake.receive(head + b"100000\r\n") is None
    for _ in range(64):
        assert not handshake.reconnect
        assert handshake.receive(bytes(1024)) is None
    assert handshake.reconnect


@pytest.mark.parametrize(("length", "stays"), [(65500, True), (70000, False)])
def test_the_limit_of_a_body_is_the_same_wherever_it_is_cut(length: int, stays: bool) -> None:
    chunks = b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (length, b"x" * length)
    result = same_however_cut(talk, refused(WANTS_BASIC, chunks, body=body) + GRANTED, [200, 60000, 65700])
    assert result[1:3] == (stays, not stays)


def test_a_proxy_that_says_it_stays_and_goes_is_asked_again() -> None:
    handshake = client(AUTH)
    assert handshake.receive(refused(WANTS_BASIC, STAYS, body=b"no!")) == BASIC
    handshake.receive_end()
    assert handshake.reconnect
    assert handshake.start() == BASIC
    # But on a new connection it has to answer.
    with pytest.raises(ProxyError, match="closed the connection"):
        handshake.receive_end()


def test_an_answer_that_breaks_off_is_no_reason_to_ask_again() -> None:
    handshake = client(AUTH)
    handshake.receive(refused(WANTS_BASIC, STAYS, body=b"no!") + b"HTTP/1.1 200")
    with pytest.raises(ProxyError, match="closed the connection"):
        handshake.receive_end()
    assert not handshake.reconnect


@pytest.mark.parametrize("fields", [[STAYS], []])
@pytest.mark.parametrize("challenge", [WANTS_BASIC, WANTS_DIGEST])
def test_credentials_that_are_refused_are_not_sent_again(challenge: bytes, fields: list[bytes]) -> None:
    handshake = client(AUTH)
    again = refused(challenge, *fields, body=b"no!")
    assert bool(handshake.receive(again)) == bool(fields)
    if handshake.reconnect:
        handshake.start()
    with pytest.raises(ProxyError, match="refused the user name or password") as raised:
        handshake.receive(again)
    assert (raised.value.kind, raised.value.status) == ("credentials", 407)


def test_a_stale_nonce_is_one_more_try() -> None:
    handshake = client(AUTH)
    stale = refused(WANTS_DIGEST.replace(b'"n"', b'"m", stale=TRUE'), STAYS, body=b"no!")
    first = handshake.receive(refused(WANTS_DIGEST, STAYS, body=b"no!")) or b""
    second = handshake.receive(stale) or b""
    assert (b'nonce="n"' in first, b'nonce="m"' in second) == (True, True)
    with pytest.raises(ProxyError, match="refused the user name or password"):
        handshake.receive(stale)


@pytest.mark.parametrize(
    ("fields", "kind", "says"),
    [
        ([], "method", "does not say how"),
        ([b"Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n"], "method", "wants negotiate, ntlm"),
        ([b"Proxy-Authenticate: Digest realm=x, nonce=n, algorithm=SHA-1\r\n"], "method", "wants digest"),
        ([b'Proxy-Authenticate: Basic realm="x\r\n'], "malformed", "malformed authentication field"),
        ([b"Proxy-Authenticate: " + b"a," * 3000 + b"\r\n"], "method", "known here are Basic and Digest"),
    ],
)
def test_challenges_that_cannot_be_answered(fields: list[bytes], kind: str, says: str) -> None:
    result = same_however_cut(talk, refused(*fields))
    assert result[2:] == (407, kind)
    assert says in str(result[1])
    assert len(str(result[1])) < 250


def test_the_digest_is_one_that_a_server_takes() -> None:
    """Both sides of ours: first without credentials, then with a digest, then with a stale one."""
    now = [1000.0]
    gate = ProxyAuthenticator("x", dict([AUTH]), DigestServer("x", dict([AUTH]), clock=lambda: now[0]))
    handshake = client(AUTH)
    for _ in range(2):
        challenges = "".join(f"{name}: {value}\r\n" for name, value in gate.challenges())
        handshake.receive(refused(challenges.encode("latin-1")))
        assert handshake.reconnect
        head = RequestReader().receive(handshake.start())
        assert head is not None
        value = head.headers.get("Proxy-Authorization") or ""
        assert parse_credentials(value).get("uri") == "example.org:443"
        assert gate.check(head).user == "Aladdin"
        now[0] += 301
        assert gate.check(head).stale
        gate_stale = gate.challenges(stale=True)
        handshake.receive(refused("".join(f"{name}: {value}\r\n" for name, value in gate_stale).encode("latin-1")))
        head = RequestReader().receive(handshake.start())
        assert head is not None
        assert gate.check(head).user == "Aladdin"
        handshake = client(AUTH)


# Whatever comes.

WORDS = (
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 407 No\r\n", b"HTTP/1.1 100 Wait\r\n\r\n", WANTS_BASIC, WANTS_DIGEST, STAYS,
    b"no!", b"Connection: keep-alive\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 2\r\n", b"\r\n",
    b"0\r\n\r\n",
)  # fmt: skip
good = some.sampled_from(
    [
        GRANTED + b"tail",
        refused(WANTS_BASIC, STAYS, body=b"no!") + GRANTED + b"tail",
        refused(WANTS_DIGEST, STAYS, body=b"no!") + refused(WANTS_BASIC),
        b"HTTP/1.1 403 No\r\n\r\n",
    ]
)


@given(some.one_of(garbage(*WORDS), damaged(good)), places, some.sampled_from([AUTH, None]))
def test_whatever_comes_is_the_same_wherever_it_is_cut(
    stream: bytes, cuts: list[int], auth: tuple[str, str] | None
) -> None:
    result = same_however_cut(lambda pieces: talk(pieces, auth), stream, cuts)
    if result[1] is True:
        assert stream.endswith(result[3])  # type: ignore[arg-type]


@given(some.one_of(garbage(*WORDS), damaged(good)), some.binary(max_size=20), places)
def test_nothing_behind_the_response_is_read(stream: bytes, tail: bytes, cuts: list[int]) -> None:
    alone = talk([stream])
    if alone[1] is True:
        assert talk(pieces_of(stream + tail, cuts)) == (*alone[:3], alone[3] + tail)  # type: ignore[operator]
