"""The kernel's verdict on real rulesets, in tests/reach/rulesets, held against real connections.

Each script begins with the verdicts that it must get: IPv4 from the local network and from the internet, then IPv6.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from peers import PATIENCE, peer
from reach.campaign import LONG
from reach.lab.home import PORT, SERVER
from reach.lab.namespaces import Host
from reach.lab.pair import PLACES, Pair, packets
from wirecat.reach.firewall import FirewallAnswer
from wirecat.reach.linux_firewall import LinuxFirewall
from wirecat.reach.packet import LAN, Packet
from wirecat.reach.twin import judge
from wirecat.system.command import module_command

RULESETS = sorted((Path(__file__).parent / "rulesets").glob("*.sh"))
#: Tried each time; the others by ``make lab``.
EACH_TIME = {"fail2ban", "handshake-only", "ingress-set", "legacy-user-chains", "limits", "mixture", "tailscale"}

SECONDS = 20.0  # a machine that is busy elsewhere


def ask(host: Host, asked: list[Packet]) -> list[FirewallAnswer]:
    return host.inside(lambda: LinuxFirewall(SECONDS).judge(asked))


@pytest.mark.parametrize(
    "script",
    [pytest.param(path, marks=[] if path.stem in EACH_TIME else [LONG], id=path.stem) for path in RULESETS],
)
def test_verdict_on_ruleset_is_what_a_real_connection_shows(script: Path) -> None:
    for program in ("nft", "iptables", "ipset"):
        peer(program)
    text = script.read_text()
    expected = text.partition("# verdicts: ")[2].partition("\n")[0].split()
    with Pair() as pair:
        pair.server.must("sh", "-e", "-c", text)
        with pair.server.listen(PORT, "::") as listener:
            before = look_at(pair.server)
            answers = ask(pair.server, packets("br-lan" if "br-lan" in text else "eth0"))
            assert look_at(pair.server) == before
            assert [answer.state for answer in answers] == expected, answers
            for place, answer in zip(PLACES, answers, strict=True):
                if answer.state != "unknown" and "a limit applies" not in answer.evidence:
                    is_open = pair.opens(listener, place, PATIENCE if answer.state == "ok" else 0.5)
                    assert is_open is (answer.state == "ok"), (place, answer)


def look_at(host: Host) -> list[str]:
    """What a look must leave as it is: interfaces, addresses, routes, rules, settings, sets, names and mounts."""
    without_states, without_counters = "sed 's,state [A-Z]*,,; s, tentative,,'", "sed 's,.[0-9]*:[0-9]*.$,,'"
    commands = (
        f"ip link | {without_states}; ip addr | {without_states}; ip netns; cat /proc/mounts",
        "ip route show table all; ip -6 route show table all; ip rule; ip -6 rule",
        f"nft -s list ruleset; iptables-legacy-save | {without_counters}; ip6tables-legacy-save | {without_counters}",
        "ipset save | sed 's/timeout .*//'; cat /proc/net/ip_tables_names",
        "grep -r '' /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf /proc/sys/net/ipv4/ip_forward 2>/dev/null",
    )
    changing = (" expires ", "packets", "# ")
    return [
        line
        for command in commands
        for line in host.run("sh", "-c", command).stdout.splitlines()
        if not any(word in line for word in changing) and "lft" not in line
    ]


MENDED = {
    "policy": "table inet f { chain in { type filter hook input priority 0; policy drop;\n ct state established accept\n"
    " icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n} \n}",
    "answers": "table inet f { chain out { type filter hook output priority 0; policy drop;\n"
    " icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n} \n}",
    "ingress": "table netdev f { chain in { type filter hook ingress device eth0 priority 0;\n tcp dport 12345 drop\n} \n}",
    "neighbors": "table ip6 f { chain in { type filter hook input priority 0; policy drop;\n"
    " tcp dport 12345 accept\n} \n}",
    "user chain": "table inet f { chain mine { tcp dport 12345 reject\n }\n"
    " chain in { type filter hook input priority 0;\n jump mine\n} \n}",
}


@pytest.mark.parametrize("rules", MENDED.values(), ids=MENDED.keys())
def test_command_lets_the_connection_in(rules: str) -> None:
    with Pair() as pair:
        pair.server.nft(rules)
        for number, packet in enumerate(packets()):
            (answer,) = ask(pair.server, [packet])
            if answer.state == "ok":
                assert "ip6 f" in rules or number
                continue
            assert answer.fix.startswith("nft insert rule ")
            pair.server.must(*answer.fix.split())
            assert ask(pair.server, [packet])[0].state == "ok", answer.fix


def test_iptables_rules_are_told_and_mended_by_iptables() -> None:
    peer("iptables")
    with Pair() as pair:
        for rule in ("-P INPUT DROP", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                     "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT"):  # fmt: skip
            pair.server.must(peer("iptables"), *rule.split())
        lan, internet, lan6, _ = ask(pair.server, packets())
        assert (lan.state, lan6.state) == ("blocked", "ok")
        assert "policy drop of chain INPUT in table ip filter" in lan.evidence
        assert lan.fix == "iptables -I INPUT -s 192.168.77.0/24 -p tcp --dport 12345 -j ACCEPT"
        assert internet.fix == "iptables -I INPUT -p tcp --dport 12345 -j ACCEPT"
        pair.server.must(*lan.fix.split())
        assert [answer.state for answer in ask(pair.server, packets())] == ["ok", "blocked", "ok", "ok"]


@pytest.mark.parametrize("bound", ["eth0", "lo"])
def test_listener_bound_to_a_device_is_tried_as_such(bound: str) -> None:
    with Pair() as pair:

        def listen() -> socket.socket:
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bound.encode())
            made.bind(("0.0.0.0", PORT))
            made.listen()
            return made

        with pair.server.inside(listen):
            lan = ask(pair.server, packets())[0]
    assert lan.state == ("ok" if bound == "eth0" else "blocked")
    assert bound == "eth0" or "no listener takes connections to 192.168.77.20 by eth0" in lan.evidence


def test_forty_thousand_addresses() -> None:
    """Each address is copied: the first and the last of the set decide."""
    elements = ", ".join(f"10.{n >> 8 & 255}.{n & 255}.{1 + (n >> 16)}" for n in range(40_000))
    with Pair() as pair:
        pair.server.nft(
            f"table ip big {{ set s {{ type ipv4_addr; elements = {{ {elements}, 11.77.0.9 }}; }}\n"
            " chain in { type filter hook input priority 0;\n ip saddr @s drop\n }\n}"
        )
        began = time.monotonic()
        answers = ask(pair.server, packets())
        took = time.monotonic() - began
    assert [answer.state for answer in answers] == ["ok", "blocked", "ok", "ok"]
    assert took < PATIENCE, f"{took:.2f} s"


def test_without_root_it_is_unknown_and_says_what_to_run() -> None:
    with Pair() as pair:
        unprivileged = [peer("setpriv"), "--reuid=65534", "--clear-groups", "--inh-caps=-all"]
        command, environment = module_command("wirecat.reach.twin")
        question = f'{{"port": {PORT}, "seconds": 5, "packets": []}}\n'
        ended = pair.server.inside(
            lambda: subprocess.run(
                [*unprivileged, *command], input=question, env=environment, capture_output=True, text=True
            )
        )
    assert ended.stdout == '{"refused": "root"}', ended.stderr


def test_where_namespaces_are_refused_it_is_unknown_and_says_so() -> None:
    with Pair() as pair:
        confined = [peer("setpriv"), "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
        command, environment = module_command("wirecat.reach.twin")
        question = f'{{"port": {PORT}, "seconds": 5, "packets": []}}\n'
        ended = pair.server.inside(
            lambda: subprocess.run(
                [*confined, *command], input=question, env=environment, capture_output=True, text=True
            )
        )
    assert '"refused": "twin"' in ended.stdout, ended.stderr
    assert "unshare: Operation not permitted" in ended.stdout


def test_process_ends_with_its_parent() -> None:
    """Its parent is killed while it waits for a question, on a pipe that stays open: the kernel ends it, and so its namespaces."""
    command, environment = module_command("wirecat.reach.twin")
    question, questions = os.pipe()
    script = (
        "import subprocess, time\n"
        f"print(subprocess.Popen({command!r}, stdin={question}, pass_fds=[{question}]).pid, flush=True)\n"
        f"time.sleep({SECONDS * 3})\n"
    )
    try:
        with subprocess.Popen(
            [command[0], "-c", script], stdout=subprocess.PIPE, env=environment, pass_fds=[question]
        ) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            watch = os.pidfd_open(child)
            reading = "0 0x0 "  # read(2) of descriptor 0
            deadline = time.monotonic() + PATIENCE
            while not Path(f"/proc/{child}/syscall").read_text().startswith(reading):
                assert time.monotonic() < deadline, "it does not wait for a question"
            parent.send_signal(signal.SIGKILL)
        try:
            assert select.select([watch], [], [], PATIENCE)[0], "it outlives its parent"
        finally:
            os.close(watch)
    finally:
        os.close(question)
        os.close(questions)


def test_address_that_rules_mention_decides_for_itself_only() -> None:
    with Pair() as pair:
        pair.server.nft(
            "table ip f { chain in { type filter hook input priority 0;\n ip saddr 192.168.77.44 drop\n}\n}"
        )
        lan = ask(pair.server, [Packet(LAN, "eth0", SERVER, 24, PORT)])[0]
    assert lan.state == "unknown"
    assert "it depends on the sender's address: 192.168.77.30: it gets in; 192.168.77.44:" in lan.evidence


def test_kernel_without_nf_tables_is_judged_by_counters_and_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with iptables-legacy alone: nothing there may load nf_tables."""
    peer("iptables")
    monkeypatch.setattr("wirecat.system.network_state.is_loaded", lambda name, symbol: name != "nf_tables")
    asked = [
        {"region": packet.region, "interface": "eth0", "destination": SERVER, "prefix_length": 24}
        for packet in packets()[:2]
    ]
    with Pair() as pair, pair.server.listen(PORT):
        pair.server.must(
            "sh", "-e", "-c", (RULESETS[0].parent / "tailscale.sh").read_text().partition("iptables-nft")[0]
        )
        pair.server.must("iptables-legacy", "-A", "INPUT", "-p", "tcp", "-s", "192.168.77.0/24", "-j", "REJECT")
        found = pair.server.inside(lambda: judge({"port": PORT, "packets": asked}))
    lan, internet = found["answers"]
    assert (lan["state"], lan["rule"]["kind"], lan["rule"]["number"]) == ("blocked", "legacy", 1)
    assert "the firewall of this machine refuses it" in lan["evidence"]
    assert (internet["state"], "leaves by tailscale0, not by eth0" in internet["evidence"]) == ("blocked", True), (
        internet
    )
