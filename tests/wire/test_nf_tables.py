"""Rules of nf_tables, dumped by the kernel, loaded again and dumped: nft prints the same for both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.netlink_socket import NETLINK_NETFILTER, NetlinkSocket
from wirecat.system.network_state import dump_rules
from wirecat.wire import nf_tables

RULES = """
table inet filter {
  set hosts { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.1.7, 192.168.2.1-192.168.2.9 }; }
  set pairs { typeof ip saddr . tcp dport; flags interval; elements = { 10.0.0.0/8 . 80-90 }; }
  set temporary { type ipv6_addr; flags timeout; elements = { 2001:db8::1 timeout 1h }; }
  set seen { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 1m; }
  map verdicts { type inet_service : verdict; elements = { 80 : accept, 443 : goto web }; }
  counter hits { packets 4 bytes 400 }
  quota month { over 25 mbytes used 2 mbytes }
  limit slow { rate 400/minute }
  ct helper ftp { type "ftp" protocol tcp; }
  chain web { tcp flags & (fin | syn) == syn ct count over 20 reject with tcp reset
  }
  chain in { type filter hook input priority filter; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname { "lo", "eth*" } ip saddr @hosts accept
    ip saddr . tcp dport @pairs limit rate 5/minute burst 3 packets counter name "hits" accept
    tcp dport vmap @verdicts
    tcp dport 99 update @seen { ip saddr limit rate 5/second } drop
    meta l4proto { icmp, ipv6-icmp } quota name "month" accept
  }
}
table ip off { flags dormant; chain in { type filter hook input priority 0; policy drop; }; }
table netdev d { chain i { type filter hook ingress device lo priority -500; tcp dport 7 drop; }; }
table arp a { chain i { type filter hook input priority 0; arp operation request accept; }; }
table bridge b { chain f { type filter hook forward priority 0; ether type arp accept; }; }
"""


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    peer("nft")
    require_namespaces()
    one, other = Host("one"), Host("other")
    yield one, other
    one.close()
    other.close()


def dump(host: Host) -> nf_tables.Ruleset:
    def read() -> nf_tables.Ruleset:
        with NetlinkSocket(NETLINK_NETFILTER) as kernel:
            return dump_rules(kernel)

    return host.inside(read)


def load(host: Host, copy: nf_tables.Copy) -> dict[int, tuple[int, str]]:
    def send() -> dict[int, tuple[int, str]]:
        with NetlinkSocket(NETLINK_NETFILTER) as kernel:
            return kernel.send_batch(copy.messages()[0])

    return host.inside(send)


def test_loaded_rules_are_those_that_were_dumped(hosts: tuple[Host, Host]) -> None:
    one, other = hosts
    one.nft(RULES)
    copy = nf_tables.Copy(dump(one))
    assert load(other, copy) == {}
    probes = "counter packets 0 bytes 0 "
    printed = [
        host.must(peer("nft"), "list", "ruleset").replace(probes, "").replace("meta nfproto ipv4 ", "")
        for host in hosts
    ]
    printed = ["\n".join(line for line in text.splitlines() if "expires" not in line) for text in printed]
    assert printed[0] == printed[1]
    assert len(copy.concerns) == 4  # the limit, ct count, the dynamic set, the quota


def test_refused_rule_is_replaced_by_a_probe(hosts: tuple[Host, Host]) -> None:
    one, other = hosts
    one.nft("table ip t { chain in { type filter hook input priority 0; tcp dport 1 accept\n tcp dport 2 drop\n}\n}")
    copy = nf_tables.Copy(dump(one))
    copy.leave_out(nf_tables.RULE, 0)
    assert load(other, copy) == {}
    assert "tcp dport 1" not in other.must(peer("nft"), "list", "ruleset")
    counted = nf_tables.read_counters(dump(other).objects[nf_tables.RULE][0][1])
    assert counted == {0: 0}
    assert list(copy.concerns) == [(0, 0)]


def test_errors_name_their_message(hosts: tuple[Host, Host]) -> None:
    one, other = hosts
    one.nft("table ip t { chain a { }\n chain in { type filter hook input priority 0; jump a\n}\n}")
    copy = nf_tables.Copy(dump(one))
    copy.leave_out(nf_tables.CHAIN, 0)
    _, index = copy.messages()
    errors = load(other, copy)
    assert [index[number - 1][0] for number in errors] == [nf_tables.RULE]


def test_used_up_quota_stays_used_up(hosts: tuple[Host, Host]) -> None:
    one, other = hosts
    one.nft(
        "table ip t { quota q { over 1 bytes used 1 bytes }\n"
        " chain out { type filter hook output priority 0; quota name q drop\n}\n}"
    )
    one.ip("link set lo up")
    one.run("sh", "-c", "echo > /dev/udp/127.0.0.1/9")
    assert load(other, nf_tables.Copy(dump(one))) == {}


def test_what_a_ruleset_tells(hosts: tuple[Host, Host]) -> None:
    hosts[0].nft(RULES)
    ruleset = dump(hosts[0])
    assert ruleset.bound_devices() == {"lo"}
    assert (1, "filter", "in") in ruleset.base_chains()
    assert (1, "filter", "web") not in ruleset.base_chains()
    assert "netdev d" in ruleset.table_names()
    rejecting = [nf_tables.has_reject(body) for _, body in ruleset.objects[nf_tables.RULE]]
    assert rejecting.count(True) == 1
