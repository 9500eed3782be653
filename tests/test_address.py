"""Addresses: what is read, what is refused and why, and that what is written is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.address import Address, known_address
from wirecat.errors import AddressError

READ = [
    ("12345", Address("tcp", None, 12345), "12345"),
    (12345, Address("tcp", None, 12345), "12345"),
    (" 80 ", Address("tcp", None, 80), "80"),
    ("0", Address("tcp", None, 0), "0"),
    ("65535", Address("tcp", None, 65535), "65535"),
    (":80", Address("tcp", "", 80), ":80"),
    ("host:80", Address("tcp", "host", 80), "host:80"),
    ("127.0.0.1:80", Address("tcp", "127.0.0.1", 80), "127.0.0.1:80"),
    ("müller.example:80", Address("tcp", "müller.example", 80), "müller.example:80"),
    ("[::1]:80", Address("tcp", "::1", 80), "[::1]:80"),
    ("[fe80::1%eth0]:80", Address("tcp", "fe80::1%eth0", 80), "[fe80::1%eth0]:80"),
    ("tcp://host:80", Address("tcp", "host", 80), "host:80"),
    ("TCP://host:80", Address("tcp", "host", 80), "host:80"),
    ("tcp://12345", Address("tcp", None, 12345), "12345"),
    ("tcp://:80", Address("tcp", "", 80), ":80"),
    ("host:80?a=b", Address("tcp", "host", 80, options=(("a", "b"),)), "tcp://host:80?a=b"),
    ("80?a=b&c=d%26e", Address("tcp", None, 80, options=(("a", "b"), ("c", "d&e"))), "tcp://80?a=b&c=d%26e"),
    ("tls://host:443", Address("tls", "host", 443), "tls://host:443"),
    ("ws://host:80/chat", Address("ws", "host", 80, "/chat"), "ws://host:80/chat"),
    ("unix:///run/x.socket", Address("unix", path="/run/x.socket"), "unix:///run/x.socket"),
    ("unix:relative", Address("unix", path="relative"), "unix://relative"),
    ("UNIX:///run/x", Address("unix", path="/run/x"), "unix:///run/x"),
    ("unix:@name", Address("unix", path="@name"), "unix://@name"),
    ("unix:///a%3Fb", Address("unix", path="/a?b"), "unix:///a%3Fb"),
    ("unix:///50%", Address("unix", path="/50%"), "unix:///50%25"),
    ("unix:///x?a=b", Address("unix", path="/x", options=(("a", "b"),)), "unix:///x?a=b"),
    ("unixgram:///run/x", Address("unixgram", path="/run/x"), "unixgram:///run/x"),
    ("unixgram:///a%3Fb", Address("unixgram", path="/a?b"), "unixgram:///a%3Fb"),
    (
        "80?proxy=socks5://p:1080",
        Address("tcp", None, 80, options=(("proxy", "socks5://p:1080"),)),
        "tcp://80?proxy=socks5://p:1080",
    ),
    ("vsock://3:4294967295", Address("vsock", "3", 4294967295), "vsock://3:4294967295"),
    ("vsock://:99999", Address("vsock", "", 99999), "vsock://:99999"),
    ("exec:sort -u", Address("exec", path="sort -u"), "exec:sort -u"),
    ("exec:ls ?x&y%41", Address("exec", path="ls ?x&y%41"), "exec:ls ?x&y%41"),
    ("EXEC:true", Address("exec", path="true"), "exec:true"),
    ("exec:////bin/true", Address("exec", path="//bin/true"), "exec:////bin/true"),
    ("-", Address("stdio"), "-"),
]


@pytest.mark.parametrize(("text", "address", "written"), READ, ids=lambda value: str(value))
def test_read_and_written(text: str | int, address: Address, written: str) -> None:
    assert Address.parse(text) == address
    assert str(address) == written
    assert Address.parse(written) == address


REFUSED = [
    ("", "empty"),
    ("   ", "empty"),
    ("abc", "no port"),
    ("localhost", "no port"),
    ("192.168.1.7", "no port"),
    ("localhost:", "no port"),
    ("[::1]", "no port"),
    ("[::1]80", "no port"),
    ("70000", "range"),
    ("host:65536", "range"),
    ("host:99999999999999999999", "range"),
    ("-1", "no port"),
    ("host:-1", "no port"),
    ("host:+80", "no port"),
    ("host:8_0", "no port"),
    ("host:1e3", "no port"),
    ("host:\u0661", "no port"),  # an Arabic digit
    ("\u0661\u0662", "no port"),
    ("80.5", "no port"),
    ("host:http", "no port"),
    ("::1:80", "brackets"),
    ("::1", "brackets"),
    ("fe80::1%eth0:80", "brackets"),
    ("[::1", "brackets"),
    ("[host]:80", "brackets"),
    ("[127.0.0.1]:80", "brackets"),
    ("[::1 ]:80", "no host"),
    ("[::1\0]:80", "no host"),
    ("[:[:]:80", "no host"),
    ("ho st:80", "no host"),
    ("ho\0st:80", "no host"),
    ("a]b:80", "no host"),
    ("\x1b]0;x\x07:80", "no host"),
    ("\x1b:80", "no host"),
    ("\udcff:80", "no host"),
    ("\u202ehost:80", "no host"),
    ("tcp://host:80/path", "no path"),
    ("host/path", "no path"),
    ("tls://host:80/path", "no path"),
    ("udp://host:80/", "no path"),
    ("tls://host:70000", "range"),
    ("vsock://3:4294967296", "range"),
    ("vsock://3:99999999999999999999", "range"),
    ("unixgram:", "nothing behind"),
    ("user@host:80", "user names"),
    ("tcp://user:secret@host:80", "user names"),
    ("://host:80", "no scheme"),
    ("1x://host:80", "no scheme"),
    ("a b://host:80", "no scheme"),
    ("tcp://", "empty"),
    ("tcp://?a=b", "empty"),
    ("80?", "no value"),
    ("80?a", "no value"),
    ("80?a=b&", "no value"),
    ("80?=b", "no value"),
    ("80?a=b&a=c", "twice"),
    ("unix:", "nothing behind"),
    ("unix://", "nothing behind"),
    ("unix://?a=b", "nothing behind"),
    ("unix:///a\0b", "no path"),
    ("exec:", "nothing behind"),
    ("exec://", "nothing behind"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=lambda value: ascii(value))
def test_what_is_no_address_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(AddressError, match=why) as caught:
        Address.parse(text)
    line = str(caught.value)
    assert line.isprintable(), "it may go to a terminal"
    assert caught.value.exit_code == 2
    assert caught.value.hint


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_a_port_out_of_range_is_refused_however_it_comes(port: int) -> None:
    with pytest.raises(AddressError, match="range"):
        Address("tcp", "127.0.0.1", port)


def test_an_address_is_taken_as_it_is() -> None:
    address = Address("tcp", "host", 1)
    assert Address.parse(address) is address


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "fe80::1%lo"])
@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_what_a_socket_knows_is_an_address_like_any_other(scheme: str, host: str) -> None:
    assert known_address(scheme, host, 80) == Address(scheme, host, 80)
    assert str(known_address(scheme, host, 80)) == str(Address(scheme, host, 80))


def test_port_0_is_no_target() -> None:
    assert Address.parse("1").target() == Address.parse("1")
    assert Address.parse("unix:x").target() == Address.parse("unix:x")
    with pytest.raises(AddressError, match="port 0"):
        Address.parse("host:0").target()


@pytest.mark.parametrize(
    "text", ["80", "localhost:80", "LocalHost:80", "127.0.0.1:80", "127.9.8.7:80", "[::1]:80", "unix:x", "exec:x", "-"]
)
def test_this_pc_only(text: str) -> None:
    assert Address.parse(text).this_pc_only


@pytest.mark.parametrize(
    "text",
    [
        ":80",
        "0.0.0.0:80",
        "[::]:80",
        "host:80",
        "128.0.0.1:80",
        "127.evil.example:80",
        "127.0.0.1.evil.example:80",
        "tls://0.0.0.0:443",
        "ws://:80",
        "udp://host:53",
    ],
)
def test_not_this_pc_only(text: str) -> None:
    assert not Address.parse(text).this_pc_only


hosts = some.one_of(
    some.none(),
    some.just(""),
    some.from_regex(r"[a-z0-9ü][a-z0-9.\-ü]{0,20}", fullmatch=True),
    some.ip_addresses(v=4).map(str),
    some.ip_addresses(v=6).map(str),
)
ports = some.integers(0, 65535)
names = some.from_regex(r"[a-z_]{1,8}", fullmatch=True)
values = (
    some.text(some.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)
options = some.dictionaries(names, values, max_size=3).map(lambda found: tuple(found.items()))
schemes = some.sampled_from(["tcp", "tls", "udp"])


@given(schemes, hosts, ports, options)
def test_host_and_port_are_read_back(
    scheme: str, host: str | None, port: int, given_options: tuple[tuple[str, str], ...]
) -> None:
    address = Address(scheme, host, port, options=given_options)
    assert Address.parse(str(address)) == address


paths = some.text(some.characters(exclude_characters="\0", codec="utf-8"), min_size=1).filter(
    lambda path: path == path.strip() and not path.startswith("//")
)


@given(paths, options)
def test_a_path_is_read_back(path: str, given_options: tuple[tuple[str, str], ...]) -> None:
    address = Address("unix", path=path, options=given_options)
    assert Address.parse(str(address)) == address


def test_bytes_that_are_no_utf_8_are_read_back() -> None:
    address = Address("unix", path="/tmp/\udcff?", options=(("a", "\udc80"),))
    assert str(address) == "unix:///tmp/%FF%3F?a=%80"
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize("address", [Address("unix", path="/\x1b]0;x\x07"), Address("unix", path="/\ud800\u202e")])
def test_what_cannot_be_printed_is_escaped(address: Address) -> None:
    """The name of a client's socket is the client's choice, and stands in logs."""
    assert str(address).isprintable()


@given(some.text(some.characters()))
def test_anything_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = Address.parse(text)
    except AddressError as error:
        assert str(error).isprintable()
    else:
        assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("%41", "A"),
        ("%c3%BC", "ü"),
        ("%", "%"),
        ("%4", "%4"),
        ("%zz", "%zz"),
        ("%+5", "%+5"),
        ("% 5x", "% 5x"),
        ("%-1", "%-1"),
        ("%ff", "\udcff"),
        ("100%", "100%"),
        ("%1_", "%1_"),
        ("%2525", "%25"),
    ],
)
def test_percent_escapes(written: str, meant: str) -> None:
    assert Address.parse(f"80?a={written}").options == (("a", meant),)
