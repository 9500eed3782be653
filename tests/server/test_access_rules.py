"""Rules of who may come in: every form of one, what is none, and rules in a file."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from wirecat.errors import UnknownHost, UsageError
from wirecat.server import access
from wirecat.server.access import AccessList, read_rules


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ("192.168.1.7", "192.168.1.7", "192.168.1.8"),
        ("192.168.1.0/24", "192.168.1.255", "192.168.2.0"),
        ("192.168.1.77/24", "192.168.1.0", "192.168.0.255"),
        ("0.0.0.0/1", "127.255.255.255", "128.0.0.0"),
        ("[::1]", "0:0:0:0:0:0:0:1", "127.0.0.1"),
        ("::/0", "2001:db8::1", "192.0.2.1"),
        ("0.0.0.0/0", "192.0.2.1", "2001:db8::1"),
        ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::1"),
        ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.1"),
        ("fe80::1", "fe80::1%eth0", "fe80::2%eth0"),
        ("10.0.0-3.*", "10.0.3.255", "10.0.4.0"),
        ("10.*.*.*", "10.255.0.1", "11.0.0.1"),
        ("10.0.0.5-", "10.0.0.255", "10.0.0.4"),
        ("10.0.0.-5", "10.0.0.0", "10.0.0.6"),
        ("10.-.0.1", "10.200.0.1", "10.200.0.2"),
        ("10.1-2.3-4.5-6", "10.2.3.6", "10.3.3.6"),
        ("192.0.2.1,10.0.0.1", "10.0.0.1", "10.0.0.2"),
        (" 192.0.2.1 , 10.0.0-1.* ,", "10.0.1.1", "192.0.2.2"),
        ("localhost", "127.0.0.1", "127.0.0.2"),
        ("localhost/8", "127.9.9.9", "128.0.0.1"),
    ],
)
def test_a_rule(rule: str, inside: str, outside: str) -> None:
    allowing, denying = AccessList(allow=[rule]), AccessList(deny=[rule])
    for _ in range(2):  # the second answer is a remembered one
        assert allowing.permits(inside) and not allowing.permits(outside)
        assert not denying.permits(inside) and denying.permits(outside)


def test_a_range_is_for_ipv4_alone() -> None:
    assert not AccessList(allow=["*.*.*.*"]).permits("::1")
    assert AccessList(allow=["*.*.*.*"]).permits("::ffff:1.2.3.4")


@pytest.mark.parametrize("empty", ["", " ", ","])
def test_an_empty_list_allows_nobody(empty: str) -> None:
    assert not AccessList(allow=[empty]).permits("127.0.0.1")
    assert AccessList(deny=[empty]).permits("127.0.0.1")


@pytest.mark.parametrize(
    "rule",
    [
        "10.0.0", "127.1", "1", "10.0.0.5-1", "10.0.0.256-", "10.0.0.0-999", "10.0.0.*/24", "10.*", "10.0.0.[1]",
        "192.0.2.1 10.0.0.1", "fe80::1::2", "a b", "1.2.3.4.5-6", "10.0.0.٣-", "0x7f.0.0.1-2",
    ],
)  # fmt: skip
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(UsageError) as caught:
        AccessList(allow=[rule])
    assert caught.value.exit_code == 2
    assert repr(rule) in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError):
        AccessList(deny=["127.0.0.1", f"10.0.0.1,{rule}"])


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: Any, **more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UsageError, match="nosuch") as caught:
        AccessList(deny=["nosuch.invalid"])
    assert isinstance(caught.value.__cause__, UnknownHost)


def test_a_name_stands_for_all_its_addresses_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **more: found)
    rules = AccessList(allow=["host-7.example"])
    found.clear()
    assert rules.permits("192.0.2.1") and rules.permits("2001:db8::1") and not rules.permits("192.0.2.2")


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules"
    file.write_text("# who may\n10.0.0.1   # the printer\n\n\t192.168.1.0/24  fe80::/10\r\n#127.0.0.1\nlocalhost#me\n")
    assert read_rules(str(file)) == ["10.0.0.1", "192.168.1.0/24", "fe80::/10", "localhost"]
    assert AccessList(allow=read_rules(str(file))).permits("192.168.1.4")


def test_a_file_without_a_rule_allows_nobody(tmp_path: Path) -> None:
    file = tmp_path / "rules"
    file.write_text("# nobody\n")
    assert not AccessList(allow=read_rules(str(file))).permits("127.0.0.1")
    assert AccessList(deny=read_rules(str(file))).permits("127.0.0.1")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_rules(str(tmp_path / "nosuch"))
    with pytest.raises(UsageError):
        read_rules(str(tmp_path))


def test_the_memory_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "CACHE_LIMIT", 10)
    rules = AccessList(allow=["10.0.0.0/24"])
    for number in range(100):
        assert rules.permits(f"10.0.0.{number}")
    assert len(rules._known) <= 10
