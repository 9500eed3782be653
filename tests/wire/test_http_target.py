"""Targets of requests: the four forms, hosts that hide behind escapes or names, and requests for the proxy itself."""

from __future__ import annotations

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import HttpError
from wirecat.wire.authority import format_authority
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import RequestHead, is_target
from wirecat.wire.http_target import Target, request_target


def target_of(method: str, text: str, *hosts: str) -> Target:
    return request_target(RequestHead(method, text, Headers(("Host", host) for host in hosts)))


@pytest.mark.parametrize(
    ("method", "text", "expected"),
    [
        ("GET", "http://example.org/tea?milk", Target("absolute", "example.org", 80, "/tea?milk")),
        ("GET", "HTTP://Example.org:8080/", Target("absolute", "Example.org", 8080, "/")),
        ("GET", "http://example.org:/", Target("absolute", "example.org", 80, "/")),
        ("GET", "http://[2001:db8::1]:81/a", Target("absolute", "2001:db8::1", 81, "/a")),
        ("GET", "http://example.org", Target("absolute", "example.org", 80, "/")),
        ("GET", "http://example.org?milk/2", Target("absolute", "example.org", 80, "/?milk/2")),
        # Escapes: undone in the host, where they could hide it; untouched in the path, where they are part of it.
        ("GET", "http://127.0.0.%31/%41%2f%zz", Target("absolute", "127.0.0.1", 80, "/%41%2f%zz")),
        ("GET", "http://example.org/a@b:c", Target("absolute", "example.org", 80, "/a@b:c")),
        ("GET", "http://example.org/\xfc", Target("absolute", "example.org", 80, "/\xfc")),
        # RFC 9112 section 3.2.4: OPTIONS without a path asks for the server as a whole.
        ("OPTIONS", "http://example.org:8001", Target("absolute", "example.org", 8001, "*")),
        ("OPTIONS", "http://example.org/", Target("absolute", "example.org", 80, "/")),
        ("OPTIONS", "*", Target("asterisk", None, None, "*")),
        ("CONNECT", "example.org:443", Target("authority", "example.org", 443, "")),
        ("CONNECT", "[::1]:443", Target("authority", "::1", 443, "")),
        ("GET", "/tea", Target("origin", None, None, "/tea")),
        ("GET", "//example.org/tea", Target("origin", None, None, "//example.org/tea")),
    ],
)
def test_what_is_asked_for(method: str, text: str, expected: Target) -> None:
    assert target_of(method, text) == expected


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("GET", "*"),
        ("GET", "example.org/tea"),
        ("GET", "example.org:80"),
        ("GET", "http:/example.org/"),
        ("GET", "http:///tea"),
        ("GET", "http://:80/"),
        ("GET", "http://?x"),
        ("GET", "https://example.org/"),
        ("GET", "ftp://example.org/"),
        ("GET", "file:///etc/passwd"),
        ("GET", "http://user@example.org/"),
        ("GET", "http://user:pw%40@example.org/"),
        ("GET", "http://example.org@127.0.0.1/"),
        ("GET", "http://example.org/tea#milk"),
        ("GET", "/tea#milk"),
        ("GET", "http://exa%0d%0aX:y/"),
        ("GET", "http://exa%2fmple.org/"),
        ("GET", "http://example.org\\@127.0.0.1/"),
        ("GET", "http://example.org:0/"),
        ("GET", "http://example.org:65536/"),
        ("GET", "http://example.org:x/"),
        ("GET", "http://[::1/"),
        ("GET", "http://[fe80::1%25eth0]/"),
        ("GET", "http://ex\xe4mple.org/"),
        ("CONNECT", "example.org"),
        ("CONNECT", "example.org:"),
        ("CONNECT", ":443"),
        ("CONNECT", "/"),
        ("CONNECT", "*"),
        ("CONNECT", "http://example.org/"),
        ("CONNECT", "example.org:443/"),
        ("CONNECT", "user@example.org:443"),
        ("CONNECT", "::1:443"),
    ],
)
def test_what_is_refused(method: str, text: str) -> None:
    with pytest.raises(HttpError) as raised:
        target_of(method, text)
    assert raised.value.status == 400


def test_a_path_alone_is_for_the_proxy_itself() -> None:
    assert target_of("GET", "/tea").for_the_reader
    assert target_of("OPTIONS", "*").for_the_reader
    assert not target_of("GET", "http://example.org/").for_the_reader
    assert not target_of("CONNECT", "example.org:443").for_the_reader


def test_the_host_field_tells_where_no_uri_does() -> None:
    assert target_of("GET", "/tea", "example.org:8080") == Target("origin", "example.org", 8080, "/tea")
    assert target_of("OPTIONS", "*", "[::1]") == Target("asterisk", "::1", 80, "*")
    assert target_of("GET", "/tea", "") == Target("origin", None, None, "/tea")
    # And is of no account where one does (RFC 9112 section 3.2.2).
    assert target_of("GET", "http://example.org/", "other:1").host == "example.org"
    for host in ("a b", "user@a", "a:x", "a/b"):
        with pytest.raises(HttpError):
            target_of("GET", "/", host)
    with pytest.raises(HttpError, match="more than one Host"):
        target_of("GET", "/", "a", "a")


def test_the_authority_is_written_as_a_host_field() -> None:
    assert Target("absolute", "example.org", 80, "/").authority == "example.org"
    assert Target("absolute", "example.org", 81, "/").authority == "example.org:81"
    assert Target("absolute", "::1", 80, "/").authority == "[::1]"
    assert Target("authority", "::1", 443).authority == "[::1]:443"
    assert Target("origin", None, None, "/").authority == ""


@pytest.mark.parametrize(
    ("host", "port", "own"),
    [
        ("127.0.0.1", 3128, True),
        ("::ffff:127.0.0.1", 3128, True),
        ("::ffff:7f00:1", 3128, True),
        ("::1", 3128, True),
        ("0:0::0:1", 3128, True),
        ("Proxy.Example.", 3128, True),
        ("127.0.0.1", 3129, False),
        ("127.0.0.2", 3128, False),
        ("proxy.example.org", 3128, False),
    ],
)
def test_requests_for_the_proxy_itself_are_known(host: str, port: int, own: bool) -> None:
    places = [("127.0.0.1", 3128), ("::1", 3128), ("proxy.example", 3128)]
    assert Target("absolute", host, port, "/").is_one_of(places) is own
    assert Target("authority", host, port).is_one_of(places) is own


def test_no_host_is_nobody() -> None:
    assert not Target("origin", None, None, "/").is_one_of([("127.0.0.1", 80)])


texts = some.text("http:/%@[]?#aA0.1-f\\*", max_size=30) | some.text(max_size=20)


@given(some.sampled_from(["GET", "OPTIONS", "CONNECT"]), some.sampled_from(["", "http://", "http://h"]), texts)
def test_whatever_comes_is_a_target_or_refused(method: str, start: str, text: str) -> None:
    if not is_target(start + text):
        return
    try:
        target = target_of(method, start + text)
    except HttpError as error:
        assert error.status == 400
        return
    if target.host is not None and target.port is not None:
        assert format_authority(target.host, target.port)
    assert target.path == "" if method == "CONNECT" else target.path == "*" or target.path.startswith("/")
    assert target.path == "" or is_target(target.path)


names = some.text("abc019.-", min_size=1, max_size=20)
paths = some.text("abc/%20?&=", max_size=20)


@given(names, some.none() | some.integers(1, 65535), paths)
def test_pythons_urllib_finds_the_same_host(host: str, port: int | None, path: str) -> None:
    text = f"http://{host}{'' if port is None else f':{port}'}/{path}"
    parts = urllib.parse.urlsplit(text)
    target = target_of("GET", text)
    assert (target.host or "").lower() == parts.hostname
    assert target.port == (parts.port or 80)
    assert target.path == text.split(host, 1)[1].removeprefix("" if port is None else f":{port}")
