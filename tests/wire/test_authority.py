"""Hosts and ports in protocols: what is written is read again, and nothing that could begin a line gets in or out."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import HttpError, UsageError
from wirecat.wire.authority import (
    ascii_host,
    format_authority,
    ipv4_octets,
    ipv6_octets,
    parse_authority,
    require_port,
    unmapped,
)

names = some.text("abcXYZ019-._", min_size=1, max_size=255)
ipv4 = some.ip_addresses(v=4).map(str)
ipv6 = some.ip_addresses(v=6).map(str).filter(lambda text: "%" not in text)
ports = some.integers(1, 65535)


@given(some.one_of(names, ipv4, ipv6), ports)
def test_what_is_written_is_read_again(host: str, port: int) -> None:
    text = format_authority(host, port)
    assert text.isascii()
    assert parse_authority(text) == (host, port)


@given(ipv4)
def test_an_address_has_one_notation(host: str) -> None:
    assert unmapped(host) == unmapped(f"::ffff:{host}") == host
    assert unmapped("0:0:0:0:0:0:0:1") == "::1"
    assert unmapped("name") == "name"


@given(some.text(max_size=20))
def test_no_text_slips_through(host: str) -> None:
    """Whatever the host, what is written is one word of the characters that a host and a port have."""
    try:
        text = format_authority(host, 80)
    except UsageError:
        return
    assert text.isascii()
    assert not set(text) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._[]:")
    assert parse_authority(text)[1] == 80


@given(some.one_of(some.text(max_size=20), some.text("[]:%@0a.f-/\\ ", max_size=20)), some.none() | ports)
def test_whatever_comes_is_a_host_and_a_port_or_refused(text: str, default: int | None) -> None:
    try:
        host, port = parse_authority(text, default)
    except HttpError as error:
        assert error.status == 400
    else:
        assert 0 < port < 65536
        assert parse_authority(format_authority(host, port)) == (host, port)


@given(ipv4, ipv6)
def test_addresses_are_read_as_everywhere(four: str, six: str) -> None:
    assert ipv4_octets(four) == ipaddress.IPv4Address(four).packed
    assert ipv6_octets(six) == ipaddress.IPv6Address(six).packed
    assert ipv4_octets(six) is None
    assert ipv6_octets(four) is None


@given(some.text("0123456789.", max_size=16))
def test_an_ipv4_address_has_one_notation(text: str) -> None:
    try:
        expected = ipaddress.IPv4Address(text).packed
    except ValueError:
        expected = None
    assert ipv4_octets(text) == expected


@pytest.mark.parametrize("host", ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "²5.1.1.1", "1..2.3"])
def test_no_ipv4_address(host: str) -> None:
    assert ipv4_octets(host) is None


@pytest.mark.parametrize("host", ["", ":", "::1%eth0", "1::2::3", "[::1]", "::1\0", "::1 ", "::g", ":\udc80:"])
def test_no_ipv6_address(host: str) -> None:
    assert ipv6_octets(host) is None


def test_a_name_that_is_not_ascii_is_written_in_its_ascii_form() -> None:
    assert ascii_host("bücher.example") == "xn--bcher-kva.example"
    assert format_authority("straße.example", 80) == "xn--strae-oqa.example:80"


def test_a_name_may_be_as_long_as_socks_can_say() -> None:
    assert ascii_host("a" * 255) == "a" * 255
    assert parse_authority("a" * 255 + ":80") == ("a" * 255, 80)


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("", "cannot be a host's name"),
        ("a b", "cannot be a host's name"),
        ("a\r\nHost: b", "no IPv6 address"),
        ("a\r\nb", "cannot be a host's name"),
        ("a\0b", "cannot be a host's name"),
        ("a/b", "cannot be a host's name"),
        ("user@host", "cannot be a host's name"),
        ("a" * 256, "at most 255 bytes"),
        ("ü" * 80, "cannot be a host's name"),
        ("[::1]", "no IPv6 address"),
        ("fe80::1%eth0", "means nothing to a proxy"),
        ("1::2::3", "no IPv6 address"),
    ],
)
def test_hosts_that_are_none(host: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ascii_host(host)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_ports_that_are_none(port: int) -> None:
    with pytest.raises(UsageError, match="from 1 to 65535"):
        require_port(port)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("host", ("host", 80)),
        ("host:", ("host", 80)),
        ("host:8080", ("host", 8080)),
        ("[::1]", ("::1", 80)),
        ("[::1]:", ("::1", 80)),
        ("[::1]:443", ("::1", 443)),
        ("127.0.0.%31:1", ("127.0.0.1", 1)),
        ("%65xample%2Eorg", ("example.org", 80)),
    ],
)
def test_what_can_be_read(text: str, place: tuple[str, int]) -> None:
    assert parse_authority(text, 80) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":80",
        "user@host",
        "user:pw@host:80",
        "host%0d%0a",
        "host%00",
        "ho%20st",
        "host%",
        "host%4",
        "host%zz",
        "host%E4",
        "host:0",
        "host:65536",
        "host:+80",
        "host:8 0",
        "host:٣",
        "host:80:90",
        "::1",
        "[::1",
        "[::1]80",
        "[::1%25eth0]:80",
        "[v1.x]:80",
        "[127.0.0.1]:80",
        "a" * 256,
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(HttpError) as raised:
        parse_authority(text, 80)
    assert raised.value.status == 400


def test_without_a_default_there_must_be_a_port() -> None:
    for text in ("host", "host:", "[::1]"):
        with pytest.raises(HttpError, match="no port"):
            parse_authority(text)
