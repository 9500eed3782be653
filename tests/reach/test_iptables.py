"""iptables' rules decided for a packet, as iptables-save prints them; ufw's own among them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.reach.iptables import read_tables
from wirecat.reach.packet import INTERNET, LAN, Packet
from wirecat.reach.packet_filter import decide

PACKETS = {
    "lan": Packet(LAN, "eth0", "192.168.77.20", 24, 12345),
    "net": Packet(INTERNET, "eth0", "192.168.77.20", 24, 12345),
}
OPENS = {
    "-p tcp -m tcp --dport 12345 -j ACCEPT": "lan net",
    "-p tcp -m tcp --dport 12000:13000 -m comment --comment \"a -j DROP b\" -j ACCEPT": "lan net",
    "-p tcp -m multiport --dports 80,443,12000:13000 -j ACCEPT": "lan net",
    "-p tcp -m multiport --dports 80,443 -j ACCEPT": "",
    "-p udp -m udp --dport 12345 -j ACCEPT": "",
    "-s 192.168.77.0/24 -p tcp -j ACCEPT": "lan",
    "! -s 192.168.0.0/16 -p tcp -j ACCEPT": "net",
    "-i lo -j ACCEPT": "",
    "! -i docker0 -j ACCEPT": "lan net",
    "-i eth+ -j ACCEPT": "lan net",
    "-d 192.168.77.20/32 -j ACCEPT": "lan net",
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT": "",
    "-m state --state NEW -j ACCEPT": "lan net",
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT": "lan net",
    "-p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j ACCEPT": "",
    "-m addrtype --dst-type LOCAL -j ACCEPT": "lan net",
    "-m iprange --src-range 192.168.77.0-192.168.77.255 -j ACCEPT": "lan",
    "-j sub": "lan net",
    "-g sub": "lan net",
    "-j LOG --log-prefix \"[x] \"": "",
}  # fmt: skip


def tables(rule: str, policy: str = "DROP") -> str:
    return (
        f"# Generated\n*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n:sub - [0:0]\n-A INPUT {rule}\n"
        "-A sub -p tcp -m tcp --dport 12345 -j ACCEPT\nCOMMIT\n"
    )


def state(text: str, packet: Packet) -> str:
    found = read_tables(text, packet)
    return decide(found.bases, found.chains).state


@pytest.mark.parametrize("rule", OPENS)
def test_each_rule_opens_for_those_whom_it_says(rule: str) -> None:
    for name, packet in PACKETS.items():
        assert state(tables(rule), packet) == ("ok" if name in OPENS[rule].split() else "blocked"), name


@pytest.mark.parametrize("rule", ["-m limit --limit 3/min -j ACCEPT", "-m recent --rcheck --name x -j ACCEPT",
                                  "-s 192.168.77.30/32 -j ACCEPT", "-m mark --mark 0x1 -j ACCEPT"])  # fmt: skip
def test_what_may_match_is_unknown(rule: str) -> None:
    assert state(tables(rule), PACKETS["lan"]) == "unknown"


def test_a_rule_that_refuses_is_named() -> None:
    found = read_tables(
        tables("-p tcp -m tcp --dport 12345 -j REJECT --reject-with tcp-reset", "ACCEPT"), PACKETS["lan"]
    )
    answer = decide(found.bases, found.chains)
    assert (answer.state, answer.how) == ("blocked", "reject")
    assert answer.rule.startswith("-A INPUT -p tcp -m tcp --dport 12345 -j REJECT")


def test_a_port_that_is_sent_elsewhere() -> None:
    text = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport {} -j DNAT --to-destination 172.17.0.2:80\n"
    for port, expected in ((12345, "unknown"), (8080, "ok")):
        found = read_tables(text.format(port), PACKETS["lan"])
        assert decide(found.redirects, found.chains).state == expected


@given(some.text(max_size=60))
def test_any_line_is_decided(rule: str) -> None:
    try:
        assert state(tables(rule.replace("\n", " ")), PACKETS["lan"]) in ("ok", "blocked", "unknown")
    except ValueError as error:
        assert "address" in str(error)
