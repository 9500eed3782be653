"""SOCKS handshakes: the bytes of the RFCs and memos, every refusal, every cut, and nonsense."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cutting import damaged, error_of, garbage, places, same_at_every_cut, same_however_cut
from wirecat.errors import ProxyError, UsageError
from wirecat.wire.handshake import Handshake
from wirecat.wire.socks import Socks4Client, Socks5Client

GRANTED_4 = bytes([0, 90, 0x1F, 0x90, 10, 0, 0, 1])
NO_PASSWORD = bytes([5, 0])
PASSWORD = bytes([5, 2])
ACCEPTED = bytes([1, 0])
GRANTED_5 = bytes([5, 0, 0, 1, 10, 0, 0, 1, 0x1F, 0x90])


def talk(make: Callable[[], Handshake], pieces: list[bytes]) -> tuple[object, ...]:
    """All that can be seen of a handshake to which a proxy says these pieces and then closes."""
    handshake = make()
    sent = handshake.start()
    try:
        for piece in pieces:
            sent += handshake.receive(piece) or b""
        handshake.receive_end()
    except ProxyError as error:
        return sent if error.kind == "closed" else b"", handshake.done, error_of(error)
    return sent, handshake.done, handshake.bound, handshake.rest


def socks4() -> Handshake:
    return Socks4Client("10.1.2.3", 80, "joe")


def socks5() -> Handshake:
    return Socks5Client("example.org", 80, "joe", "secret")


# SOCKS 4: the memo's layout is VN, CD, DSTPORT, DSTIP, USERID, NULL.


def test_the_request_of_socks_4() -> None:
    assert Socks4Client("10.1.2.3", 80, "joe").start() == b"\x04\x01\x00\x50\x0a\x01\x02\x03joe\x00"
    assert Socks4Client("10.1.2.3", 80).start() == b"\x04\x01\x00\x50\x0a\x01\x02\x03\x00"


def test_the_request_of_socks_4a_has_the_name_behind_an_address_that_cannot_be() -> None:
    handshake = Socks4Client("example.org", 443, "joe", remote_name=True)
    assert handshake.start() == b"\x04\x01\x01\xbb\x00\x00\x00\x01joe\x00example.org\x00"
    assert Socks4Client("10.1.2.3", 80, remote_name=True).start() == b"\x04\x01\x00\x50\x0a\x01\x02\x03\x00"


def test_socks_4_is_granted() -> None:
    result = same_at_every_cut(lambda pieces: talk(socks4, pieces), GRANTED_4 + b"Hello")
    assert result == (socks4().start(), True, ("10.0.0.1", 8080), b"Hello")


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (91, "refused", "refused, or could not reach"),
        (92, "credentials", "no identd"),
        (93, "credentials", "another user"),
        (0, "malformed", "unknown code 0"),
        (94, "malformed", "unknown code 94"),
    ],
)
def test_socks_4_refuses(code: int, kind: str, says: str) -> None:
    def run(pieces: list[bytes]) -> tuple[object, ...]:
        return talk(socks4, pieces)

    result = same_at_every_cut(run, bytes([0, code, 0, 0, 0, 0, 0, 0]) + b"more")
    name, text, status, told = result[2]  # type: ignore[misc]
    assert (name, status, told) == ("ProxyError", code, kind)
    assert says in text
    # Enough of it is enough: a proxy that closes in the middle has refused all the same.
    assert run([bytes([0, code])]) == result


@pytest.mark.parametrize("version", [1, 4, 5, 72, 255])
def test_a_reply_of_socks_4_begins_with_0_and_nothing_else(version: int) -> None:
    result = same_at_every_cut(lambda pieces: talk(socks4, pieces), bytes([version]) + GRANTED_4[1:])
    assert result[2][3] == "malformed"  # type: ignore[index]


@pytest.mark.parametrize(
    ("host", "remote_name", "says"),
    [
        ("::1", False, "no IPv6"),
        ("::1", True, "no IPv6"),
        ("example.org", False, "takes an IPv4 address"),
        ("0.0.0.7", False, r"0\.0\.0\.x"),
        ("0.0.0.7", True, r"0\.0\.0\.x"),
        ("a\0b", True, "host's name"),
    ],
)
def test_what_socks_4_cannot_ask_for(host: str, remote_name: bool, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Socks4Client(host, 80, remote_name=remote_name)


def test_a_user_id_cannot_end_itself() -> None:
    with pytest.raises(UsageError, match="NUL"):
        Socks4Client("10.1.2.3", 80, "joe\0")
    assert Socks4Client("0.0.0.0", 80).start()  # 0.0.0.0 is no name's mark


# SOCKS 5: RFC 1928 and RFC 1929.


def test_without_a_password_one_method_is_offered() -> None:
    handshake = Socks5Client("example.org", 80)
    assert handshake.start() == b"\x05\x01\x00"
    assert handshake.receive(NO_PASSWORD) == b"\x05\x01\x00\x03\x0bexample.org\x00\x50"


def test_a_password_is_sent_where_the_proxy_wants_it() -> None:
    handshake = socks5()
    assert handshake.start() == b"\x05\x02\x00\x02"
    assert handshake.receive(PASSWORD) == b"\x01\x03joe\x06secret"
    assert handshake.receive(ACCEPTED) == b"\x05\x01\x00\x03\x0bexample.org\x00\x50"
    assert handshake.receive(GRANTED_5) is None
    assert handshake.done


def test_a_password_is_not_sent_where_the_proxy_wants_none() -> None:
    handshake = socks5()
    handshake.start()
    assert handshake.receive(NO_PASSWORD) == b"\x05\x01\x00\x03\x0bexample.org\x00\x50"


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("10.1.2.3", b"\x01\x0a\x01\x02\x03"),
        ("2001:db8::1", b"\x04" + ipaddress.IPv6Address("2001:db8::1").packed),
        ("bücher.example", b"\x03\x15xn--bcher-kva.example"),
        ("a" * 255, b"\x03\xff" + b"a" * 255),
    ],
)
def test_the_three_kinds_of_address(host: str, place: bytes) -> None:
    handshake = Socks5Client(host, 0x1234)
    handshake.start()
    assert handshake.receive(NO_PASSWORD) == b"\x05\x01\x00" + place + b"\x12\x34"


@pytest.mark.parametrize(
    ("place", "bound"),
    [
        (b"\x01\x0a\x00\x00\x01", "10.0.0.1"),
        (b"\x04" + ipaddress.IPv6Address("2001:db8::1").packed, "2001:db8::1"),
        (b"\x03\x0bexample.org", "example.org"),
        (b"\x03\x00", ""),
        (b"\x03\x01x", "x"),
        (b"\x03\xff" + b"y" * 255, "y" * 255),
        (b"\x03\x02\xff\x00", "\udcff\0"),
    ],
)
@pytest.mark.parametrize("greeting", [NO_PASSWORD, PASSWORD + ACCEPTED], ids=["open", "password"])
def test_the_whole_of_socks_5_at_every_cut(greeting: bytes, place: bytes, bound: str) -> None:
    stream = greeting + b"\x05\x00\x00" + place + b"\x00\x50" + b"\x05\x00Hello"
    result = same_at_every_cut(lambda pieces: talk(socks5, pieces), stream)
    assert result[1:] == (True, (bound, 80), b"\x05\x00Hello")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (1, "the proxy failed"),
        (2, "rules"),
        (3, "network is unreachable"),
        (4, "host is unreachable"),
        (5, "connection refused"),
        (6, "TTL"),
        (7, "does not know the command"),
        (8, "kind of address"),
        (9, "unknown code 9"),
        (255, "unknown code 255"),
    ],
)
def test_socks_5_refuses(code: int, says: str) -> None:
    def run(pieces: list[bytes]) -> tuple[object, ...]:
        return talk(socks5, pieces)

    result = same_at_every_cut(run, NO_PASSWORD + bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
    _, text, status, kind = result[2]  # type: ignore[misc]
    assert (status, kind) == (code, "refused")
    assert says in text
    # Some proxies send no more than the code.
    assert run([NO_PASSWORD + bytes([5, code])]) == result


@pytest.mark.parametrize(
    ("stream", "kind", "says"),
    [
        (b"\x04\x00", "malformed", "no SOCKS 5 proxy"),
        (b"HTTP/1.0 400 Bad Request\r\n", "malformed", "no SOCKS 5 proxy"),
        (b"\x05\xff", "method", "neither"),
        (b"\x05\x01", "method", "method 1, which was not offered"),
        (PASSWORD + b"\x01\x01", "credentials", "refused the user name or password"),
        (PASSWORD + b"\x01\xff", "credentials", "refused the user name or password"),
        (PASSWORD + b"\x05\x00", "malformed", "no SOCKS 5 proxy"),
        (NO_PASSWORD + b"\x00\x00", "malformed", "no SOCKS 5 proxy"),
        (NO_PASSWORD + b"\x05\x00\x00\x02", "malformed", "unknown kind 2"),
        (NO_PASSWORD + b"\x05\x00\x00\x00\x01", "malformed", "unknown kind 0"),
        (b"", "closed", "closed the connection"),
        (PASSWORD + b"\x01", "closed", "closed the connection"),
        (NO_PASSWORD + GRANTED_5[:-1], "closed", "closed the connection"),
        (NO_PASSWORD + b"\x05\x00\x00\x03\xff" + b"y" * 255 + b"\x00", "closed", "closed the connection"),
    ],
)
def test_socks_5_fails(stream: bytes, kind: str, says: str) -> None:
    result = same_at_every_cut(lambda pieces: talk(socks5, pieces), stream)
    _, text, _, told = result[2]  # type: ignore[misc]
    assert told == kind
    assert says in text


def test_a_proxy_that_wants_a_password_where_there_is_none() -> None:
    for reply, kind in ((b"\x05\xff", "credentials"), (PASSWORD, "method")):
        handshake = Socks5Client("example.org", 80)
        handshake.start()
        with pytest.raises(ProxyError) as raised:
            handshake.receive(reply)
        assert raised.value.kind == kind
        assert ("--proxy-auth" in str(raised.value)) == (kind == "credentials")


def test_names_and_passwords_have_limits() -> None:
    assert Socks5Client("host", 80, "u" * 255, "p" * 255)
    for user, password in (("u" * 256, ""), ("u", "p" * 256), ("ü" * 128, "")):
        with pytest.raises(UsageError, match="at most 255 bytes"):
            Socks5Client("host", 80, user, password)
    with pytest.raises(UsageError, match="needs a user name"):
        Socks5Client("host", 80, None, "p")


def test_a_user_without_a_password_has_an_empty_one() -> None:
    handshake = Socks5Client("host", 80, "jö", None)
    handshake.start()
    assert handshake.receive(PASSWORD) == b"\x01\x03j\xc3\xb6\x00"


# Whatever comes.

WORDS = (GRANTED_4, NO_PASSWORD, PASSWORD, ACCEPTED, GRANTED_5, b"\x05\x00\x00\x03", b"\x05\x00\x00\x04", b"\0\x5a")
good = some.sampled_from([GRANTED_4, NO_PASSWORD + GRANTED_5, PASSWORD + ACCEPTED + GRANTED_5]).map(
    lambda stream: stream + b"tail"
)


@pytest.mark.parametrize("make", [socks4, socks5])
@given(stream=some.one_of(garbage(*WORDS), damaged(good)), cuts=places)
def test_nonsense_is_refused_the_same_wherever_it_is_cut(
    make: Callable[[], Handshake], stream: bytes, cuts: list[int]
) -> None:
    result = same_however_cut(lambda pieces: talk(make, pieces), stream, cuts)
    if result[1]:
        assert stream.endswith(result[3])  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [socks4, socks5])
@given(stream=some.one_of(garbage(*WORDS), damaged(good)), tail=some.binary(max_size=20))
def test_nothing_behind_the_reply_is_read(make: Callable[[], Handshake], stream: bytes, tail: bytes) -> None:
    """More bytes behind a reply that is whole change nothing but the rest."""
    alone = talk(make, [stream])
    if alone[1]:
        assert talk(make, [stream + tail]) == (*alone[:3], alone[3] + tail)  # type: ignore[operator]
