"""nftables' rules decided for a packet: written by nft itself in a namespace, and documents that are none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.reach.nftables import read_ruleset, read_texts
from wirecat.reach.packet import INTERNET, LAN, Packet
from wirecat.reach.packet_filter import decide

FOUR, SIX = "192.168.77.20", "2d00:77:0:1::20"
PACKETS = {
    "lan4": Packet(LAN, "eth0", FOUR, 24, 12345),
    "net4": Packet(INTERNET, "eth0", FOUR, 24, 12345),
    "lan6": Packet(LAN, "eth0", SIX, 64, 12345),
    "net6": Packet(INTERNET, "eth0", SIX, 64, 12345),
}
#: A rule in a chain that drops the rest, and for whom it opens the port.
OPENS = {
    "tcp dport 12345 accept": "lan4 net4 lan6 net6",
    "tcp dport { 80, 12000-13000 } accept": "lan4 net4 lan6 net6",
    "tcp dport != 22 accept": "lan4 net4 lan6 net6",
    "tcp dport >= 1024 accept": "lan4 net4 lan6 net6",
    "tcp dport < 1024 accept": "",
    "tcp dport 22 accept": "",
    "udp dport 12345 accept": "",
    "th dport 12345 counter log accept": "lan4 net4 lan6 net6",
    "iifname \"eth*\" accept": "lan4 net4 lan6 net6",
    "iifname { \"lo\", \"wlan0\" } accept": "",
    "iif lo accept": "",
    "ip saddr 192.168.77.0/24 tcp dport 12345 accept": "lan4",
    "ip saddr != 192.168.0.0/16 accept": "net4",
    "ip saddr { 10.0.0.0/8, 192.168.0.0/16 } accept": "lan4",
    "ip saddr @lan accept": "lan4",
    "ip saddr 192.168.77.0-192.168.77.255 accept": "lan4",
    "ip daddr 192.168.77.20 accept": "lan4 net4",
    "ip daddr 192.168.77.21 accept": "",
    "ip saddr . tcp dport { 192.168.77.0/24 . 12345 } accept": "lan4",
    "ip6 saddr fe80::/10 accept": "",
    "ip6 saddr 2d00:77:0:1::/64 accept": "lan6",
    "meta nfproto ipv6 accept": "lan6 net6",
    "meta l4proto { tcp, udp } accept": "lan4 net4 lan6 net6",
    "meta l4proto icmp accept": "",
    "ip protocol tcp accept": "lan4 net4",
    "ct state established,related accept": "",
    "ct status dnat accept": "",
    "ct status != dnat accept": "lan4 net4 lan6 net6",
    "ct state new accept": "lan4 net4 lan6 net6",
    "ct state vmap { established : accept, new : jump opened }": "lan4 net4 lan6 net6",
    "tcp dport vmap { 22 : accept, 12345 : goto opened }": "lan4 net4 lan6 net6",
    "tcp flags syn accept": "lan4 net4 lan6 net6",
    "tcp flags & (fin | syn | rst | ack) == syn accept": "lan4 net4 lan6 net6",
    "tcp flags & (fin | syn) == fin | syn accept": "",
    "fib daddr type local accept": "lan4 net4 lan6 net6",
    "fib saddr . iif oif missing accept": "",
    "pkttype host accept": "lan4 net4 lan6 net6",
    "jump opened": "lan4 net4 lan6 net6",
    "jump empty": "",
}  # fmt: skip
DOUBTFUL = [
    "limit rate 10/second accept",
    "meta mark 0x7 accept",
    "ip saddr 192.168.77.30 accept",
    "meta skuid 0 accept",
]
TABLE = """
table inet t {
  set lan { type ipv4_addr; flags interval; elements = { 192.168.77.0/24, 10.0.0.1 }
  }
  chain empty { }
  chain opened { tcp dport 12345 accept
  }
  chain input { type filter hook input priority 0; policy drop;
    RULE
  }
}
"""


@pytest.fixture(scope="module")
def written() -> dict[str, tuple[dict, dict]]:  # type: ignore[type-arg]
    """What nft prints of each rule, from one namespace."""
    peer("nft")
    require_namespaces()
    host = Host("rules")
    found = {}
    try:
        for rule in [*OPENS, *DOUBTFUL]:
            host.nft("flush ruleset" + TABLE.replace("RULE", rule))
            document = json.loads(host.must(peer("nft"), "-j", "list", "ruleset"))
            found[rule] = (document, read_texts(host.must(peer("nft"), "-a", "list", "ruleset")))
    finally:
        host.close()
    return found


def test_each_rule_opens_for_those_whom_it_says(written) -> None:  # type: ignore[no-untyped-def]
    wrong = []
    for rule, opens in OPENS.items():
        for name, packet in PACKETS.items():
            ruleset = read_ruleset(*written[rule], packet)
            expected = "ok" if name in opens.split() else "blocked"
            if (state := decide(ruleset.bases, ruleset.chains).state) != expected:
                wrong.append(f"{rule}: {name} {state}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("rule", DOUBTFUL)
def test_what_may_match_is_unknown(written, rule: str) -> None:  # type: ignore[no-untyped-def]
    ruleset = read_ruleset(*written[rule], PACKETS["lan4"])
    answer = decide(ruleset.bases, ruleset.chains)
    assert answer.state == "unknown"


def test_the_rule_is_named_as_it_is_written(written) -> None:  # type: ignore[no-untyped-def]
    document, texts = written["tcp dport 12345 accept"]
    ruleset = read_ruleset(document, texts, PACKETS["lan4"])
    assert [rule.text for rule in ruleset.chains[("inet t", "input")]] == [
        "tcp dport 12345 accept (chain input in table inet t)"
    ]
    assert decide(ruleset.bases, {("inet t", "input"): []}).rule == "policy drop of chain input in table inet t"


some_json = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(some_json, some_json)
def test_any_expression_is_decided_or_refused(left: object, right: object) -> None:
    document = {"nftables": [
        {"chain": {"family": "ip", "table": "t", "name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
        {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1,
                  "expr": [{"match": {"op": "==", "left": left, "right": right}}, {"accept": None}]}},
    ]}  # fmt: skip
    try:
        ruleset = read_ruleset(document, {}, PACKETS["lan4"])
    except ValueError:
        return
    assert decide(ruleset.bases, ruleset.chains).state in ("ok", "blocked", "unknown")
