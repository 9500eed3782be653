"""Addresses in words: who can reach the server, and what to hand out; never just 0.0.0.0."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.views import text_addresses
from wirecat.views.text_addresses import handed_out, listening_lines, opened_to_others


def tcp(*hosts: str, port: int = 12345) -> tuple[Address, ...]:
    return tuple(Address("tcp", host, port) for host in hosts)


@pytest.fixture
def two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with an IPv4 and an IPv6 address."""
    monkeypatch.setattr(text_addresses, "addresses_to_hand_out", lambda: ["192.168.1.7", "2001:db8::7"])


@pytest.mark.parametrize(
    ("text", "host"), [("12345", ""), (":12345", ""), ("192.168.1.7:12345", "192.168.1.7"), ("pc:12345", "pc")]
)
def test_lan_opens_a_bare_port(text: str, host: str) -> None:
    assert opened_to_others(text, lan=True).host == host
    assert opened_to_others(text, lan=False) == Address.parse(text)


@pytest.mark.parametrize("text", ["127.0.0.1:12345", "127.1.2.3:12345", "[::1]:12345", "localhost:12345"])
def test_lan_and_this_pc_only_contradict_each_other(text: str) -> None:
    with pytest.raises(UsageError, match=r"this PC only. Write 12345 --lan"):
        opened_to_others(text, lan=True)
    assert opened_to_others(text, lan=False).port == 12345


def test_lan_is_for_ports() -> None:
    with pytest.raises(UsageError, match="--lan is for"):
        opened_to_others("unix:///run/x", lan=True)


def test_this_pc_only() -> None:
    assert listening_lines(tcp("127.0.0.1", "::1")) == [
        "listening on 127.0.0.1:12345 and [::1]:12345 (this PC only; --lan opens it to others)"
    ]
    assert listening_lines(tcp("127.0.0.1")) == [
        "listening on 127.0.0.1:12345 (this PC only; --lan opens it to others)"
    ]


def test_one_interface() -> None:
    assert listening_lines(tcp("192.168.1.7")) == ["listening on 192.168.1.7:12345"]
    assert listening_lines((Address("unix", path="/run/x"),)) == ["listening on unix:///run/x"]


@pytest.mark.usefixtures("two_networks")
def test_every_interface_names_what_to_hand_out() -> None:
    first, second = listening_lines(tcp("0.0.0.0", "::"))
    assert first == "listening on port 12345 of all interfaces"
    assert second == "others connect to: 192.168.1.7:12345 or [2001:db8::7]:12345"
    assert listening_lines(tcp("0.0.0.0"))[1] == "others connect to: 192.168.1.7:12345"
    assert listening_lines(tcp("::"))[1] == "others connect to: [2001:db8::7]:12345"


def test_a_machine_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_addresses, "addresses_to_hand_out", list)
    (line,) = listening_lines(tcp("0.0.0.0", "::"))
    assert line == (
        "listening on port 12345 of all interfaces, but this PC has no address that others could use: "
        "only programs on it can connect"
    )
    assert handed_out(tcp("0.0.0.0", "::")) == []


@pytest.mark.usefixtures("two_networks")
def test_what_is_handed_out() -> None:
    assert handed_out(tcp("127.0.0.1", "::1")) == []
    assert handed_out(tcp("192.168.1.9", "127.0.0.1")) == list(tcp("192.168.1.9"))
    assert handed_out(tcp("0.0.0.0", "::")) == list(tcp("192.168.1.7", "2001:db8::7"))
    assert handed_out((Address("unix", path="/run/x"),)) == []


def test_three_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_addresses, "addresses_to_hand_out", lambda: ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    assert listening_lines(tcp("0.0.0.0"))[1] == "others connect to: 10.0.0.1:12345, 10.0.0.2:12345 or 10.0.0.3:12345"
