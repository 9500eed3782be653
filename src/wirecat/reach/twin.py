"""Let the kernel judge: connections tried in a twin of this machine's network, by a process of their own.

The process reads one question from its standard input and prints one answer, both JSON. Its namespaces end with it, and it ends
with the thread that started it, however that one ends.
"""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import asdict

from wirecat.reach.clients import FAMILIES, Place, choose_place
from wirecat.reach.packet import LAN
from wirecat.reach.report import BLOCKED, OK, UNKNOWN
from wirecat.system import other_filters
from wirecat.system.namespaces import end_with_parent
from wirecat.system.network_state import NetworkState
from wirecat.system.packet_trace import PacketTrace
from wirecat.system.processes import control_group, find_socket_owners
from wirecat.system.twin_connection import (
    ANSWERED,
    ARRIVED,
    REFUSED,
    Attempt,
    Trial,
    open_listeners,
)
from wirecat.system.twin_network import TwinNetwork
from wirecat.wire.nf_concerns import Concern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.system.twin_rules import RuleName
    from wirecat.wire.rtnetlink import Link

#: Seconds that a connection gets. Nothing is on the way but this kernel: an answer takes less than a millisecond.
_PATIENCE = 0.6

_WHY = {
    Concern.STATE: "depends on what it has seen before",
    Concern.PROGRAM: "hands it to a program",
    Concern.NETWORK_CLASS: "asks for the control group of the program",
    Concern.CONTROL_GROUP: "asks for the control group of the program",
    Concern.OWNER: "asks for the group of the program",
    Concern.SENDER: "asks for the sender's hardware address",
    Concern.DEVICE: "asks for the kind of the interface",
    Concern.IPSEC: "asks for IPsec",
    Concern.REDIRECT: "sends it on to another address or port",
    Concern.UNCOPIED: "cannot be copied",
}


class Judge:
    """The twin of the machine, and what is asked about it.

    Raises PermissionError without root, OSError where namespaces are refused.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.state = NetworkState(port)
        self._table_is_full = other_filters.is_connection_table_full()
        self._ipvs = other_filters.has_ipvs_service(port)
        owners = find_socket_owners(listener.inode for listener in self.state.listeners)
        self._programs: dict[str, str] = {}
        self._ipsec: dict[tuple[bytes, bytes], bool] = {}
        self._owners = {inode: pid for inode, (pid, _) in owners.by_inode.items()}

    def build(self, places: list[Place]) -> None:
        """Build the twin for clients at these places."""
        for place in places:
            for link in (place.link, *self._below(place.link)):
                self._programs[link.name] = other_filters.find_traffic_programs(link)
            for source in place.sources:
                pair = (socket.inet_pton(FAMILIES[place.family], source), place.raw)
                self._ipsec[pair] = other_filters.has_ipsec_policy(place.number, *pair)
        self._twin = TwinNetwork(self.state, {place.link.index: place.link for place in places}.values())
        listeners, self._owners_known = open_listeners(self.state, self.port, self._owners)
        ingress = {place.link.name for place in places} | {
            port.name for place in places if place.link.kind == "bridge" for port in self.state.ports(place.link)
        }
        self._bridge = any(place.link.kind == "bridge" for place in places)
        self._devices = sorted(ingress)
        trace = None
        if self._twin.rules.copy is not None:
            try:
                trace = PacketTrace(self._devices, bridge=self._bridge)
            except OSError:
                pass  # a kernel without it: the rules are removed one table at a time
        self._trial = Trial(self._twin, listeners, trace)
        self._clients: dict[int, int] = {}
        for link in {place.link.index: place.link for place in places}.values():
            here = [place for place in places if place.link is link]
            near = dict.fromkeys(address for place in here for address in place.near)
            beyond = dict.fromkeys(address for place in here for address in place.beyond)
            hardware = next((place.hardware for place in here if place.hardware), b"")
            self._clients[link.index] = self._twin.attach_clients(link, hardware, near, beyond)

    def close(self) -> None:
        """Let go of what the twin is made of."""
        self._trial.close()
        self._twin.close()

    def ask(self, place: Place) -> dict[str, Any]:
        """The answer for one place: ``state``, ``evidence`` in which ``{rule}`` stands for ``rule``, ``rule`` itself or None."""
        if not place.sources:
            return _answer(UNKNOWN, "its network has no other addresses")
        answers = [self._ask_from(place, source) for source in place.sources]
        other = next((each for each in answers if each["state"] != answers[0]["state"]), None)
        if other is None:
            return answers[0]
        words = f"it depends on the sender's address: {place.sources[0]}: {_state_words(answers[0])}"
        stopped = other if other["rule"] else answers[0]
        return {
            **stopped,
            "state": UNKNOWN,
            "evidence": f"{words}; {place.sources[answers.index(other)]}: {_state_words(other)}",
        }

    def _ask_from(self, place: Place, source: str) -> dict[str, Any]:
        attempt, reached = self._try(place, source)
        if not attempt.is_explained and not reached:
            attempt, reached = self._try(place, source)  # a busy machine may have lost a packet
        if attempt.result != ARRIVED and any(concern is Concern.LIMIT for concern, _ in reached):
            # An earlier attempt may have used the limit up: once more, with the rules as new.
            self._reload()
            attempt, reached = self._try(place, source)
        answer = self._conclude(place, attempt, reached)
        doubt = self._doubt(place, source)
        if doubt and answer["state"] == OK:
            return _answer(UNKNOWN, f"{doubt} decides too, and cannot be tried here")
        return answer

    def _reload(self, without: int = -1) -> None:
        self._twin.rules.load(without)
        if self._trial.trace is not None:
            self._trial.trace.switch_on(self._devices, bridge=self._bridge)

    def _try(self, place: Place, source: str) -> tuple[Attempt, list[tuple[Concern, RuleName]]]:
        """One connection, and the rules it came to that may give another result on the machine itself."""
        before = self._twin.rules.probes()
        clients = self._clients[place.link.index]
        attempt = self._trial.connect(place.link, clients, source, place.destination, self.port, _PATIENCE)
        after = self._twin.rules.probes()
        return attempt, [key for key, count in after.items() if count > before.get(key, 0)]

    def _conclude(self, place: Place, attempt: Attempt, reached: list[tuple[Concern, RuleName]]) -> dict[str, Any]:
        for concern, rule in reached:
            if self._matters(concern, place, attempt):
                return _answer(UNKNOWN, f"a rule of the firewall {_WHY[concern]}: {{rule}}", rule)
        if attempt.result == ARRIVED:
            limits = [rule for concern, rule in reached if concern is Concern.LIMIT]
            if limits:
                return _answer(OK, "the firewall of this machine lets it in; a limit applies: {rule}", limits[0])
            some = self._twin.rules.tables or (self.state.rules is not None and self.state.rules.rules_by_chain())
            return _answer(
                OK, "the firewall of this machine lets it in" if some else "this machine has no firewall rules"
            )
        stopping = self._stopping_rule(attempt)
        if stopping is not None:
            verb = "refuses" if stopping.rejects else "drops"
            what = "the answer" if attempt.answer else "it"
            if attempt.neighbour:
                what = "the question for its hardware address (ARP, neighbor discovery)"
            return _answer(BLOCKED, f"the firewall of this machine {verb} {what}: {{rule}}", stopping, answer=attempt.answer,
                           neighbour=attempt.neighbour)  # fmt: skip
        return self._conclude_without_rule(place, attempt)

    def _matters(self, concern: Concern, place: Place, attempt: Attempt) -> bool:
        """Whether a rule that the packets came to may have decided otherwise on the machine itself."""
        if concern is Concern.LIMIT:
            return False  # a single new connection passes it, here as there
        if concern is Concern.REDIRECT:
            return attempt.result != ARRIVED
        if concern is Concern.OWNER:
            return not self._owners_known
        if concern is Concern.NETWORK_CLASS:
            return not self._has_same_groups("net_cls")
        if concern is Concern.CONTROL_GROUP:
            return not (self._has_same_groups("net_cls") and self._has_same_groups(""))
        if concern is Concern.DEVICE:
            return place.link.kind != "veth"
        if concern is Concern.IPSEC:
            return any(self._ipsec.values())
        if concern is Concern.SENDER:
            return place.region == LAN or not place.hardware
        return True

    def _has_same_groups(self, controller: str) -> bool:
        """Whether this process is in the control group of the machine's listeners, as far as one controller goes."""
        own = control_group("self", controller)
        return all(control_group(str(pid), controller) == own for pid in self._owners.values()) and (
            len(self._owners) == len(self.state.listeners)
        )

    def _stopping_rule(self, attempt: Attempt) -> RuleName | None:
        if attempt.stop is not None:
            return self._twin.rules.event_name(attempt.stop, attempt.events[: attempt.events.index(attempt.stop)])
        if attempt.stop_entry is not None:
            return self._twin.rules.legacy_name(*attempt.stop_entry)
        return None

    def _conclude_without_rule(self, place: Place, attempt: Attempt) -> dict[str, Any]:
        """What the kernel did without a rule: routes, settings, the listener itself."""
        name = place.link.name
        if attempt.result == ANSWERED:
            return _answer(UNKNOWN, "the kernel answers in place of the program that listens")
        if attempt.filtered_source:
            return _answer(
                BLOCKED, f"the kernel drops it: an answer to {attempt.source} would not leave by {name} (rp_filter)"
            )
        way = self._twin.find_way(place.number, attempt.source, place.destination)
        # Without the trace of nf_tables it is not seen which way the answer took.
        leaves = self.state.links.get(attempt.leaves_by or (way if self._trial.trace is None else 0))
        if leaves is not None and leaves.index not in (place.link.index, place.link.master, 1):
            return self._conclude_elsewhere(place, attempt, leaves)
        if attempt.result == REFUSED and attempt.stop is None:
            return _answer(
                BLOCKED, f"the kernel refuses it: no listener takes connections to {place.destination} by {name}"
            )
        if "in forward" in attempt.seen:
            return _answer(UNKNOWN, "the kernel routes it on, not to a program of this machine")
        raw = socket.inet_pton(FAMILIES[place.family], attempt.source)
        is_missing = any(other_filters.is_within(raw, route.network, route.bits) for route in self._twin.missing_routes
                         if route.family == place.number)  # fmt: skip
        routed = is_missing or way != 0
        if "out output" not in attempt.seen and ("in input" in attempt.seen or not routed):
            return _answer(
                BLOCKED, f"this machine has no route for the answer to {attempt.source} (see: ip rule; ip route)"
            )
        if attempt.is_ignored:
            return _answer(
                BLOCKED, f"the kernel does not answer ARP for {place.destination} on {name} (arp_ignore, arp_filter)"
            )
        for number, table in enumerate(self._twin.rules.table_names()):
            self._reload(number)
            again, _ = self._try(place, attempt.source)
            self._reload()
            if again.result == ARRIVED:
                return _answer(BLOCKED, f"the firewall of this machine stops it: without table {table} it arrives")
        return _answer(
            UNKNOWN, "a connection tried in a copy of this network gets no answer, and the kernel does not say why"
        )

    def _conclude_elsewhere(self, place: Place, attempt: Attempt, leaves: Link) -> dict[str, Any]:
        """The answer leaves by another interface than the connection came by."""
        words = f"the answer to {attempt.source} leaves by {leaves.name}, not by {place.link.name}"
        for _, raw in self._twin.own_addresses(leaves):
            if len(raw) == len(place.raw) and other_filters.is_within(raw, place.raw, place.bits):
                return _answer(UNKNOWN, f"{words}, which is in the same network")
        return _answer(
            BLOCKED, f"{words} (policy routing, see: ip rule; ip route get {attempt.source} from {place.destination})"
        )

    def _doubt(self, place: Place, source: str) -> str:
        """What else decides about this connection, and is not in the twin."""
        below = self._below(place.link)
        programs = next((self._programs[link.name] for link in [place.link, *below] if self._programs[link.name]), "")
        if programs:
            return programs
        rules = self.state.rules
        bound = set() if rules is None else rules.bound_devices()
        hidden = next((link.name for link in below if place.link.kind != "bridge" and link.name in bound), "")
        if hidden:
            return f"a rule for {hidden}, which {place.link.name} is made of,"
        if self._ipsec.get((socket.inet_pton(FAMILIES[place.family], source), place.raw)):
            return "an IPsec policy"
        if self._ipvs:
            return f"IPVS, which takes connections to port {self.port},"
        if self._table_is_full:
            return "the connection table of the kernel, which is full (nf_conntrack_max),"
        problems = self._twin.problems + self._twin.rules.problems
        return f"what cannot be copied ({problems[0]})" if problems else ""

    def _below(self, link: Link) -> list[Link]:
        """The interfaces that packets come by before they come to ``link``: ports of a bridge or bond, what a VLAN lies on."""
        found = self.state.ports(link) if link.kind != "vrf" else []
        lower = self.state.links.get(link.lower)
        if lower is not None and not link.lower_elsewhere and lower is not link and link.kind != "veth":
            found.append(lower)
        return found


def _state_words(answer: dict[str, Any]) -> str:
    return "it gets in" if answer["state"] == OK else str(answer["evidence"])


def _answer(state: str, evidence: str, rule: RuleName | None = None, *, answer: bool = False,
            neighbour: bool = False) -> dict[str, Any]:  # fmt: skip
    fields = None if rule is None else asdict(rule)
    return {"state": state, "evidence": evidence, "rule": fields, "answer": answer, "neighbour": neighbour}


def judge(question: dict[str, Any]) -> dict[str, Any]:
    """Answer a question: ``port``, and ``packets`` with ``region``, ``interface``, ``destination`` and ``prefix_length``.

    The answer has ``answers``, one for each packet; or ``refused`` (root, rules, twin) and ``why``.
    """
    try:
        asked = Judge(int(question["port"]))
    except PermissionError:
        return {"refused": "root"}
    except (OSError, ValueError) as error:
        return {"refused": "rules", "why": str(error)}
    places = [choose_place(asked.state, **packet) for packet in question["packets"]]
    try:
        asked.build([place for place in places if place is not None])
        answers = [_answer(UNKNOWN, "its interface is gone") if place is None else asked.ask(place) for place in places]
        asked.close()
    except (OSError, ValueError) as error:
        return {"refused": "twin", "why": str(error)}
    return {"answers": answers}


def _main() -> int:
    import signal

    end_with_parent()
    line = sys.stdin.readline()
    if not line:
        return 1  # the process that asks has ended
    question = json.loads(line)
    signal.alarm(int(question["seconds"]) + 2)
    sys.stdout.write(json.dumps(judge(question)))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
