"""The firewall of this Linux machine: its rules read once, then asked about packets (nftables, iptables, ufw, firewalld).

Only root may read the rules. Without that the answer is unknown, with what can be seen of the programs that keep them.
"""

from __future__ import annotations

import errno
from pathlib import Path

from wirecat.reach.firewall import FirewallAnswer, sudo
from wirecat.reach.iptables import read_tables
from wirecat.reach.nftables import read_ruleset, read_texts
from wirecat.reach.packet import LAN
from wirecat.reach.packet_filter import Answer, decide
from wirecat.reach.report import BLOCKED, OK, UNKNOWN
from wirecat.system.command import NOT_FOUND, run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.reach.packet import Packet

# Of the calling thread, because a thread may be in a network of its own.
_LEGACY = "/proc/thread-self/net/{}_tables_names"
_UFW_SETTINGS = "/etc/ufw/ufw.conf"
_SAVERS = {"ipv4": "iptables", "ipv6": "ip6tables"}
_TABLES = {"ipv4": "ip", "ipv6": "ip6"}


class LinuxFirewall:
    """The rules as they are now. ``asked`` are the commands that were run."""

    def __init__(self, seconds: float) -> None:
        self.asked: list[str] = []
        self._seconds = seconds
        self._document: dict[str, Any] = {"nftables": []}
        self._listing = ""
        self._saved: dict[str, str] = {}
        self._closed = self._read()

    def ask(self, packet: Packet) -> FirewallAnswer:
        """What becomes of ``packet``, and how to let it in."""
        if self._closed:
            return self._closed
        try:
            return self._decide(packet)
        except ValueError as error:
            return self._unreadable(str(error))

    def _decide(self, packet: Packet) -> FirewallAnswer:
        ruleset = read_ruleset(self._document, read_texts(self._listing), packet)
        natives = [base for base in ruleset.bases if base.table not in ruleset.foreign]
        answers = [decide(natives, ruleset.chains)]
        turned = [decide([base], ruleset.chains) for base in ruleset.redirects if base.table not in ruleset.foreign]
        managers = {name for _, name in ruleset.chains} | {table for table, _ in ruleset.chains}
        kind = "nft"
        foreign = {table.partition(" ")[2] for table in ruleset.foreign}
        for legacy in (False, True):
            names = self._legacy_names(packet.family) if legacy else foreign
            if not names:
                continue
            text = self._save(packet.family, legacy=legacy)
            if not text:
                return self._unreadable(f"its {'old ' if legacy else ''}iptables rules cannot be printed")
            tables = read_tables(text, packet)
            answers.append(decide([base for base in tables.bases if base.table in names], tables.chains))
            turned += [decide([base], tables.chains) for base in tables.redirects if base.table in names]
            managers |= {name for _, name in tables.chains}
            if answers[-1].state != OK:
                kind = "iptables"
        worst = next((a for state in (BLOCKED, UNKNOWN) for a in answers if a.state == state), Answer(OK))
        if worst.state == BLOCKED:
            evidence = f"the firewall of this PC {_VERBS[worst.how]} it: {worst.rule}"
            return FirewallAnswer(BLOCKED, evidence, self._fix(packet, worst, kind, managers))
        redirected = next((answer for answer in turned if answer.state == UNKNOWN), None)
        if worst.state == UNKNOWN or redirected is not None:
            rule = (redirected or worst).rule
            return FirewallAnswer(UNKNOWN, f"a rule of the firewall of this PC cannot be foreseen: {rule}", "")
        some = bool(ruleset.chains) or len(answers) > 1
        return FirewallAnswer(OK, "its rules let it in" if some else "there is none on this PC", "")

    def _read(self) -> FirewallAnswer | None:
        """Read the rules; the answer to everything where that is not allowed."""
        result = self._run(["nft", "-j", "list", "ruleset"])
        if result.code == 0:
            import json

            try:
                self._document = json.loads(result.stdout or '{"nftables": []}')
            except ValueError:
                return self._unreadable("nft printed no JSON")
            self._listing = self._run(["nft", "-a", "list", "ruleset"]).stdout
            return None
        from wirecat.system.netlink_firewall import count_nftables_tables

        try:
            tables = count_nftables_tables()
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EACCES):
                return None  # a kernel without nftables; older tables are looked at later
            return self._closed_to_users()
        if not tables:
            return None
        if result.code == NOT_FOUND:
            return FirewallAnswer(
                UNKNOWN, "this PC has firewall rules, and no program to read them", f"{sudo()}apt install nftables"
            )
        return self._unreadable("nft does not print its rules")

    def _closed_to_users(self) -> FirewallAnswer:
        seen = "only root may read the rules of this PC's firewall"
        try:
            settings = Path(_UFW_SETTINGS).read_text(encoding="utf-8", errors="replace")
        except OSError:
            settings = ""
        if "ENABLED=yes" in settings.replace(" ", ""):
            seen = f"ufw is switched on ({_UFW_SETTINGS}), and only root may read its rules"
        return FirewallAnswer(UNKNOWN, seen, "sudo wirecat reach {port}")

    def _unreadable(self, why: str) -> FirewallAnswer:
        return FirewallAnswer(UNKNOWN, f"the firewall of this PC cannot be read: {why}", f"{sudo()}nft list ruleset")

    def _legacy_names(self, family: str) -> set[str]:
        """The tables of the older kind that the kernel has loaded; most machines have none."""
        try:
            return set(Path(_LEGACY.format(_TABLES[family])).read_text(encoding="ascii").split())
        except OSError:
            return set()

    def _save(self, family: str, *, legacy: bool) -> str:
        name = f"{_SAVERS[family]}-{'legacy' if legacy else 'nft'}-save"
        for program in (name, f"{_SAVERS[family]}-save"):
            if program not in self._saved:
                self._saved[program] = self._run([program]).stdout
            if self._saved[program]:
                return self._saved[program]
        return ""

    def _run(self, words: list[str]) -> Any:
        result = run_command(words, self._seconds)
        self.asked.append(f"{' '.join(words)}: {'exit ' + str(result.code) if result.code else 'read'}")
        return result

    def _fix(self, packet: Packet, answer: Answer, kind: str, managers: set[str]) -> str:
        port, lan = packet.port, packet.region == LAN
        if any(name.startswith("ufw") for name in managers):
            return f"{sudo()}ufw allow {f'from {packet.lan} to any port {port} proto tcp' if lan else f'{port}/tcp'}"
        if "inet firewalld" in managers:
            add = f"{sudo()}firewall-cmd --add-port={port}/tcp"
            return f"{add} && {add} --permanent"
        if kind == "iptables" or answer.chain is None:
            program = _SAVERS[packet.family]
            source = f" -s {packet.lan}" if lan else ""
            return f"{sudo()}{program} -I INPUT{source} -p tcp --dport {port} -j ACCEPT"
        field = "ip" if packet.family == "ipv4" else "ip6"
        source = f" {field} saddr {packet.lan}" if lan else ""
        return f"{sudo()}nft insert rule {answer.chain.table} {answer.chain.name}{source} tcp dport {port} accept"


_VERBS = {"drop": "drops", "reject": "refuses"}
