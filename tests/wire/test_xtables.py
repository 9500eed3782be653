"""Tables of iptables-legacy, read from the kernel, loaded elsewhere and read again: iptables-legacy prints the same for both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.network_state import read_table, replace_table
from wirecat.system.xtables import TableSocket, list_tables
from wirecat.wire import xtables
from wirecat.wire.nf_concerns import Concern

RULES = """*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:first - [0:0]
:second - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -j LOG
-A INPUT -p tcp -j first
-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT
-A first -p tcp -m tcp --dport 25 -m recent --rcheck --name A -m limit --limit 5/min -j DROP
-A first -p tcp -m tcp --dport 80 -g second
-A first -p udp
-A second -p tcp -j REJECT --reject-with tcp-reset
COMMIT
"""


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    peer("iptables")
    require_namespaces()
    one, other = Host("one"), Host("other")
    yield one, other
    one.close()
    other.close()


def read(host: Host, kind: xtables.Kind, name: str) -> xtables.Table:
    def work() -> xtables.Table:
        with TableSocket(kind.name) as kernel:
            return read_table(kernel, kind, name)

    return host.inside(work)


def replace(host: Host, table: xtables.Table) -> None:
    def work() -> None:
        with TableSocket(table.kind.name) as kernel:
            replace_table(kernel, table)

    host.inside(work)


@pytest.mark.parametrize(("kind", "program"), [(xtables.IP, "iptables"), (xtables.IP6, "ip6tables")])
def test_loaded_table_is_the_one_that_was_read(hosts: tuple[Host, Host], kind: xtables.Kind, program: str) -> None:
    one, other = hosts
    one.must(f"{program}-legacy-restore", input=RULES)
    assert one.inside(lambda: list_tables(kind.name)) == ["filter"]
    table = read(one, kind, "filter")
    replace(other, table)
    printed = [host.must(f"{program}-legacy-save").splitlines()[1:-1] for host in hosts]
    assert printed[0] == printed[1]
    again = read(other, kind, "filter")
    assert (again.block, again.hook_entry, again.underflow) == (table.block, table.hook_entry, table.underflow)


@pytest.mark.parametrize("kind", [xtables.IP, xtables.IP6], ids=["ip", "ip6"])
def test_probes_stand_before_what_may_differ(hosts: tuple[Host, Host], kind: xtables.Kind) -> None:
    one, other = hosts
    program = "iptables" if kind is xtables.IP else "ip6tables"
    one.must(f"{program}-legacy-restore", input=RULES)
    probed = xtables.ProbedTable(read(one, kind, "filter"))
    replace(other, probed.table)
    lines = other.must(f"{program}-legacy-save").splitlines()
    assert not any("LOG" in line for line in lines)
    assert "-A first -p tcp -m tcp --dport 25" in lines
    assert "-A INPUT -p tcp -m tcp --dport 22" in lines
    found = [
        (concern, probed.origins[place].chain, probed.origins[place].number)
        for place, concern in probed.concerns.items()
    ]
    assert found == [(Concern.LIMIT, "INPUT", 4), (Concern.STATE, "first", 1), (Concern.LIMIT, "first", 1)]


def test_entries_are_counted_as_iptables_counts_them(hosts: tuple[Host, Host]) -> None:
    hosts[0].must("iptables-legacy-restore", input=RULES)
    entries = xtables.entries_of(read(hosts[0], xtables.IP, "filter"))
    stops = [(entry.chain, entry.number, how) for entry in entries if (how := xtables.is_stop(entry))]
    assert stops == [("INPUT", 0, "drops"), ("first", 1, "drops"), ("second", 1, "refuses")]


def test_no_table_is_loaded_by_a_look(hosts: tuple[Host, Host]) -> None:
    assert hosts[0].inside(lambda: [list_tables(kind) for kind in ("ip", "ip6", "arp")]) == [[], [], []]
