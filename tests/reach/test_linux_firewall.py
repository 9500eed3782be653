"""Linux' firewall in a namespace, with real rules of nft and iptables, as root and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.reach.firewall import FirewallAnswer
from wirecat.reach.linux_firewall import LinuxFirewall
from wirecat.reach.packet import INTERNET, LAN, Packet

LAN4 = Packet(LAN, "eth0", "192.168.77.20", 24, 12345)
NET4 = Packet(INTERNET, "eth0", "192.168.77.20", 24, 12345)
LAN6 = Packet(LAN, "eth0", "2d00:77:0:1::20", 64, 12345)


@pytest.fixture
def host() -> Iterator[Host]:
    peer("nft")
    require_namespaces()
    made = Host("firewall")
    yield made
    made.close()


def ask(host: Host, packet: Packet) -> FirewallAnswer:
    return host.inside(lambda: LinuxFirewall(20).ask(packet))


def test_none_at_all(host: Host) -> None:
    assert ask(host, LAN4) == FirewallAnswer("ok", "there is none on this PC", "")


def test_without_the_program_an_empty_firewall_is_seen_all_the_same(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wirecat.system.command.find_program", lambda name: None)
    assert ask(host, LAN4).state == "ok"
    host.nft("table inet t { }")
    answer = ask(host, LAN4)
    assert (answer.state, "no program to read them" in answer.evidence) == ("unknown", True)


@pytest.mark.parametrize("packet", [LAN4, NET4, LAN6], ids=["lan", "internet", "lan6"])
def test_the_command_mends_it(host: Host, packet: Packet) -> None:
    host.nft(
        "table inet f { chain in { type filter hook input priority 0; policy drop;\n ct state established accept\n} \n}"
    )
    answer = ask(host, packet)
    assert (answer.state, answer.evidence) == (
        "blocked", "the firewall of this PC drops it: policy drop of chain in in table inet f")  # fmt: skip
    host.must(*answer.fix.split())
    assert ask(host, packet) == FirewallAnswer("ok", "its rules let it in", "")


def test_iptables_rules_are_read_as_iptables_prints_them(host: Host) -> None:
    peer("iptables")
    for rule in ("-P INPUT DROP", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                 "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT"):  # fmt: skip
        host.must(peer("iptables"), *rule.split())
    answer = ask(host, LAN4)
    assert answer.state == "blocked"
    assert answer.fix == "iptables -I INPUT -s 192.168.77.0/24 -p tcp --dport 12345 -j ACCEPT"
    host.must(*answer.fix.split())
    assert ask(host, LAN4).state == "ok"
    assert ask(host, NET4).state == "blocked"
    assert ask(host, LAN6).state == "ok"


def test_a_port_that_is_sent_elsewhere_is_unknown(host: Host) -> None:
    host.nft("table ip n { chain p { type nat hook prerouting priority -100;\n tcp dport 12345 dnat to 10.0.0.9\n}\n}")
    answer = ask(host, LAN4)
    assert (answer.state, "dnat to 10.0.0.9" in answer.evidence) == ("unknown", True)


def test_without_root_it_is_unknown_and_says_what_to_run(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("wirecat.system.command.find_program", lambda name: None)
    monkeypatch.setattr("wirecat.system.netlink_firewall.count_nftables_tables", refused)
    answer = ask(host, LAN4)
    assert answer.state == "unknown"
    assert answer.fix == "sudo wirecat reach {port}"
