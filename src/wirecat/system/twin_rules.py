"""The machine's rules in its twin: nf_tables, iptables-legacy and ipset, loaded with probes, and what the probes counted."""

from __future__ import annotations

from dataclasses import dataclass

from wirecat.system.netlink_socket import NETLINK_NETFILTER, NLM_F_CREATE, NLM_F_EXCL, NetlinkSocket
from wirecat.system.network_state import dump_rules, read_table, replace_table
from wirecat.system.xtables import TableSocket
from wirecat.wire import ipset, nf_tables, xtables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.system.network_state import NetworkState
    from wirecat.wire.nf_concerns import Concern
    from wirecat.wire.nf_trace import Event


@dataclass(frozen=True)
class RuleName:
    """Where a rule of the machine is.

    ``kind`` is nft or legacy; ``family`` inet, ip and so on; ``number`` counts the rules of the chain from 1, and 0 is the chain's
    policy; ``base`` is the base chain that led to it, "" where that is unknown. ``xt`` says that iptables wrote its table,
    ``rejects`` that it answers what it drops.
    """

    kind: str
    family: str
    table: str
    chain: str
    number: int
    handle: int
    base: str
    xt: bool
    rejects: bool


class TwinRules:
    """The rules of ``state``; everything happens in the calling thread's network, which must be the twin.

    ``problems`` are parts that could not be copied, in words.
    """

    def __init__(self, state: NetworkState) -> None:
        self._state = state
        self.problems: list[str] = []
        self.copy = None if state.rules is None else nf_tables.Copy(state.rules)
        self.tables: list[xtables.ProbedTable] = []
        self._load_sets()

    def _load_sets(self) -> None:
        if not self._state.sets:
            return
        with NetlinkSocket(NETLINK_NETFILTER) as kernel:
            for command, body in self._state.sets:
                flags = NLM_F_CREATE | NLM_F_EXCL if command == ipset.CREATE else 0
                try:
                    kernel.request(ipset.SUBSYSTEM << 8 | command, body, flags)
                except OSError as error:
                    self.problems.append(f"the ipset {ipset.set_name(body)} ({error.strerror})")

    def load(self, without: int = -1) -> None:
        """Load the rules in place of what is there, so that limits start anew; ``without`` is the place of a table to leave out.

        Raises OSError where the kernel refuses them as a whole.
        """
        if self.copy is not None:
            with NetlinkSocket(NETLINK_NETFILTER) as kernel:
                kernel.send_batch(nf_tables.delete_everything())
                self._load_nf_tables(kernel, self.copy)
                if without >= 0:
                    kernel.send_batch(self.copy.ruleset.delete_table(without))
        self.tables.clear()
        for kind in (xtables.IP, xtables.IP6, xtables.ARP):
            tables = [table for table in self._state.tables if table.kind is kind]
            if tables:
                with TableSocket(kind.name) as options:
                    for table in tables:
                        self._load_table(options, table)

    def _load_nf_tables(self, kernel: NetlinkSocket, copy: nf_tables.Copy) -> None:
        while True:
            messages, index = copy.messages()
            errors = kernel.send_batch(messages) if index else {}
            if not errors:
                return
            refused = [index[number - 1] for number in errors if number > 0]
            if not refused:
                code, words = next(iter(errors.values()))
                raise OSError(code, f"the rules cannot be copied: {words}")
            for number, (_, words) in errors.items():
                kind, place = index[number - 1]
                if kind == nf_tables.CHAIN and not self._is_elsewhere(copy.ruleset.devices_of(place)):
                    self.problems.append(f"a chain of nftables ({words})")
                copy.leave_out(kind, place)

    def _is_elsewhere(self, devices: set[str]) -> bool:
        """Whether a chain is bound to devices that the twin does not need."""
        return bool(devices) and all(self._state.link(name) is None or self._state.is_inside(name) for name in devices)

    def _load_table(self, options: TableSocket, table: xtables.Table) -> None:
        if table.kind is not xtables.ARP:
            self.tables.append(xtables.ProbedTable(table))
            table = self.tables[-1].table
        try:
            replace_table(options, table)
        except OSError as error:
            self.problems.append(f"table {table.name} of iptables-legacy ({error.strerror})")

    def table_names(self) -> list[str]:
        """The tables of nf_tables, in the places that ``load`` takes."""
        return [] if self.copy is None else self.copy.ruleset.table_names()

    def probes(self) -> dict[tuple[Concern, RuleName], int]:
        """The packets that came to each rule that may give another result here, by its concern."""
        found: dict[tuple[Concern, RuleName], int] = {}
        for probed in self.tables:
            with TableSocket(probed.table.kind.name) as kernel:
                counts = xtables.count_packets(read_table(kernel, probed.table.kind, probed.table.name))
            for place, concern in probed.concerns.items():
                found[(concern, self.legacy_name(probed.table, probed.origins[place]))] = counts[place][1]
        if self.copy is None or not self.copy.concerns:
            return found
        with NetlinkSocket(NETLINK_NETFILTER) as kernel:
            here = dump_rules(kernel, (nf_tables.RULE,))
        originals = self.copy.ruleset.rules_by_chain()
        places = here.rules_by_chain()
        concerned = {place for place, _ in self.copy.concerns}
        for chain, rules in originals.items():
            loaded = [place for place in rules if place not in self.copy.missing]
            for place, twin_place in zip(loaded, places.get(chain, ()), strict=False):
                if place in concerned:
                    counters = nf_tables.read_counters(here.objects[nf_tables.RULE][twin_place][1])
                    for (rule, at), concern in self.copy.concerns.items():
                        if rule == place:
                            found[(concern, self._nft_name(chain, rules.index(place) + 1))] = counters.get(at, 0)
        return found

    def event_name(self, event: Event, before: list[Event]) -> RuleName:
        """The machine's rule that an event is about; ``before`` are the packet's events so far, which tell the base chain."""
        assert self.copy is not None
        chain = (event.family, event.table, event.chain)
        number = 0
        if event.handle:
            with NetlinkSocket(NETLINK_NETFILTER) as kernel:
                here = dump_rules(kernel, (nf_tables.RULE,))
            handles = [
                nf_tables.handle_of(here.objects[nf_tables.RULE][place][1]) for place in here.rules_by_chain()[chain]
            ]
            number = handles.index(event.handle) + 1
        base_chains = self.copy.ruleset.base_chains()
        steps = [(each.family, each.table, each.chain) for each in [*before, event]]
        base = next((step for step in reversed(steps) if step in base_chains and step[:2] == chain[:2]), None)
        return self._nft_name(chain, number, base)

    def _nft_name(self, chain: tuple[int, str, str], number: int, base: tuple[int, str, str] | None = None) -> RuleName:
        assert self.copy is not None
        ruleset = self.copy.ruleset
        rules = ruleset.rules_by_chain().get(chain, [])
        bodies = [ruleset.objects[nf_tables.RULE][place][1] for place in rules]
        of_table = [
            body for number, body in ruleset.objects[nf_tables.RULE] if nf_tables.is_in(number, body, chain[:2])
        ]
        family, table, name = chain
        xt = table in ("filter", "raw", "mangle", "nat", "security") and family in (2, 10) and (
            any(map(nf_tables.has_xt, of_table)) or name.isupper()
        )  # fmt: skip
        own = bodies[number - 1] if number else b""
        return RuleName("nft", nf_tables.FAMILIES[family], table, name, number, nf_tables.handle_of(own),
                        "" if base is None else base[2], xt, nf_tables.has_reject(own))  # fmt: skip

    def legacy_name(self, table: xtables.Table, entry: xtables.Entry) -> RuleName:
        """The machine's rule that an entry of iptables-legacy is."""
        base = entry.chain if entry.chain.isupper() else ""
        rejects = entry.target == "REJECT"
        return RuleName("legacy", table.kind.name, table.name, entry.chain, entry.number, 0, base, True, rejects)
