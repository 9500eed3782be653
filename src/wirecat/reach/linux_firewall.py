"""The firewall of this Linux machine, judged by the kernel: see twin.py. Here are the words, and the commands that open the port.

Only root may read the rules. Without that the answer is unknown, with what can be seen of the programs that keep them.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from wirecat.deadline import Deadline
from wirecat.reach.firewall import FirewallAnswer, sudo
from wirecat.reach.packet import LAN
from wirecat.reach.report import BLOCKED, UNKNOWN
from wirecat.system.command import module_command, run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wirecat.reach.packet import Packet

_LONGEST = 3600.0
_UFW_SETTINGS = "/etc/ufw/ufw.conf"
_PROGRAMS = {"ip": "iptables", "ip6": "ip6tables"}
_FIELDS = {"ipv4": "ip", "ipv6": "ip6"}
_NEIGHBOURS = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"


class LinuxFirewall:
    """``asked`` is what was tried, and the commands that were run for the words of a rule."""

    def __init__(self, seconds: float) -> None:
        self.asked: list[str] = []
        self._deadline = Deadline(seconds)
        self._printed: dict[tuple[str, ...], str] = {}

    def judge(self, packets: Sequence[Packet]) -> list[FirewallAnswer]:
        """What becomes of each packet, and how to let it in. The packets are of one port."""
        if not packets:
            return []
        found = self._try(packets)
        if "answers" in found:
            pairs = zip(packets, found["answers"], strict=True)
            return [self._word(packet, answer) for packet, answer in pairs]
        return [_refusal(found)] * len(packets)

    def _try(self, packets: Sequence[Packet]) -> dict[str, Any]:
        """Let another process, which can leave this network, try a connection for each packet."""
        asked = [{"region": packet.region, "interface": packet.interface, "destination": str(packet.destination),
                  "prefix_length": packet.lan.prefixlen} for packet in packets]  # fmt: skip
        seconds = self._deadline.within(_LONGEST)
        question = json.dumps({"port": packets[0].port, "seconds": seconds, "packets": asked})
        command, environment = module_command("wirecat.reach.twin")
        try:
            ended = subprocess.run(command, env=environment, input=f"{question}\n", capture_output=True, text=True,
                                   timeout=seconds, check=False)  # fmt: skip
            found: dict[str, Any] = json.loads(ended.stdout)
        except subprocess.TimeoutExpired:
            found = {"refused": "twin", "why": f"it took more than {seconds:.1f} s"}
        except OSError as error:
            found = {"refused": "twin", "why": str(error)}
        except ValueError:
            last = (ended.stderr.strip().splitlines() or [f"it ended with code {ended.returncode}"])[-1]
            found = {"refused": "twin", "why": f"internal error: {last}"}
        result = "tried" if "answers" in found else found.get("why", "only root may")
        self.asked.append(f"{len(packets)} connections in a copy of this network: {result}")
        return found

    def _word(self, packet: Packet, answer: dict[str, Any]) -> FirewallAnswer:
        rule = answer["rule"]
        if rule is None:
            return FirewallAnswer(answer["state"], answer["evidence"], "")
        evidence = answer["evidence"].replace("{rule}", self._text(rule))
        return FirewallAnswer(
            answer["state"], evidence, self._fix(packet, answer, rule) if answer["state"] == BLOCKED else ""
        )

    def _text(self, rule: dict[str, Any]) -> str:
        """A rule as its own program prints it, or where it stands."""
        table, chain, number = rule["table"], rule["chain"], rule["number"]
        where = f"chain {chain} in table {rule['family']} {table}"
        if rule["kind"] == "legacy":
            where += " of iptables-legacy"
        if not number:
            return f"policy drop of {where}"
        if rule["xt"]:
            lines = [line for line in self._saved(rule).splitlines() if line.startswith(f"-A {chain} ")]
            if number <= len(lines):
                return f"{lines[number - 1]} (table {rule['family']} {table})"
        if rule["kind"] == "nft":
            listed = self._run("nft", "-t", "-a", "list", "chain", rule["family"], table, chain)
            for line in listed.splitlines():
                text, mark, handle = line.partition(" # handle ")
                if mark and handle.strip() == str(rule["handle"]):
                    return f"{text.strip()} ({where})"
        return f"rule {number} of {where}"

    def _saved(self, rule: dict[str, Any]) -> str:
        """The table as iptables-save prints it, "" where it cannot."""
        variant = "legacy" if rule["kind"] == "legacy" else "nft"
        program = _PROGRAMS.get(rule["family"])
        if program is None:
            return ""
        text = self._run(f"{program}-{variant}-save", "-t", rule["table"])
        return text if f"*{rule['table']}" in text else ""

    def _run(self, *words: str) -> str:
        if words not in self._printed:
            result = run_command(list(words), self._deadline.within(_LONGEST))
            self.asked.append(f"{' '.join(words)}: {'exit ' + str(result.code) if result.code else 'read'}")
            self._printed[words] = result.stdout
        return self._printed[words]

    def _fix(self, packet: Packet, answer: dict[str, Any], rule: dict[str, Any]) -> str:
        """The command, in the words of the program that keeps the table."""
        port, lan = packet.port, packet.region == LAN
        outward, neighbour = answer["answer"], answer["neighbour"]
        if rule["family"] == "arp" or (neighbour and packet.family == "ipv4"):
            return ""
        saved = self._saved(rule) if rule["xt"] else ""
        filters = rule["table"] == "filter" and not neighbour
        if ":ufw" in saved and filters:
            if outward:
                return f"{sudo()}ufw allow out {f'to {packet.lan} ' if lan else ''}proto tcp from any port {port}"
            return f"{sudo()}ufw allow {f'from {packet.lan} to any port {port} proto tcp' if lan else f'{port}/tcp'}"
        if (rule["table"] == "firewalld" or (":IN_public" in saved and filters)) and not outward and not neighbour:
            add = f"{sudo()}firewall-cmd --add-port={port}/tcp"
            return f"{add} && {add} --permanent"
        if saved:
            return f"{sudo()}{self._iptables_rule(packet, rule, outward=outward, neighbour=neighbour)}"
        address = "daddr" if outward else "saddr"
        source = f" {_FIELDS[packet.family]} {address} {packet.lan}" if lan else ""
        what = _NEIGHBOURS if neighbour else f"tcp {'sport' if outward else 'dport'} {port} accept"
        place = f"{rule['family']} {rule['table']} {rule['base'] or rule['chain']}"
        return f"{sudo()}nft insert rule {place}{'' if neighbour else source} {what}"

    def _iptables_rule(self, packet: Packet, rule: dict[str, Any], *, outward: bool, neighbour: bool) -> str:
        program = _PROGRAMS[rule["family"]]
        wanted = "legacy" if rule["kind"] == "legacy" else "nf_tables"
        if f"({wanted})" not in self._run(program, "--version"):
            program += "-legacy" if wanted == "legacy" else "-nft"
        table = "" if rule["table"] == "filter" else f" -t {rule['table']}"
        chain = rule["base"] or ("OUTPUT" if outward else "INPUT")
        if neighbour:
            return f"{program}{table} -I {chain} -p ipv6-icmp -j ACCEPT"
        address = f" {'-d' if outward else '-s'} {packet.lan}" if packet.region == LAN else ""
        return (
            f"{program}{table} -I {chain}{address} -p tcp {'--sport' if outward else '--dport'} {packet.port} -j ACCEPT"
        )


def _refusal(found: dict[str, Any]) -> FirewallAnswer:
    """Nothing could be tried: why not, and what helps."""
    if found["refused"] == "root":
        seen = "only root may read the rules of this machine's firewall"
        try:
            settings = Path(_UFW_SETTINGS).read_text(encoding="utf-8", errors="replace")
        except OSError:
            settings = ""
        if "ENABLED=yes" in settings.replace(" ", ""):
            seen = f"ufw is switched on ({_UFW_SETTINGS}), and only root may read its rules"
        return FirewallAnswer(UNKNOWN, seen, "sudo wirecat reach {port}")
    what = "the rules of this machine's firewall cannot be read" if found["refused"] == "rules" else (
        "the firewall of this machine cannot be tried in a copy of its network")  # fmt: skip
    return FirewallAnswer(UNKNOWN, f"{what}: {found['why']}", f"{sudo()}nft list ruleset")
