"""The ladder of checks: each rung from findings to one line of evidence, and what mends it."""

from __future__ import annotations

from wirecat.reach.findings import FAMILIES
from wirecat.reach.judgement import BY_HAND, HIDDEN, find_out, translator_behind
from wirecat.reach.packet import INTERNET, LAN
from wirecat.reach.places import CARRIER, PRIVATE, PUBLIC, kind_of
from wirecat.reach.report import BLOCKED, OK, UNKNOWN, WARN, Check
from wirecat.reach.router import CLOSED, PROTOCOLS, UNREADABLE
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wirecat.reach.findings import Findings
    from wirecat.reach.router import RouterView


def climb(found: Findings) -> list[Check]:
    """The checks, from this PC outwards."""
    checks = [*_listening(found), *_addresses(found)]
    if found.listening.rows and not found.listening.loopback_only:
        checks += _firewall(found)
    checks += [
        _isolation(found),
        *_gateway(found),
        *_translator(found),
        *_mapping(found),
        *_ipv6(found),
        _outside(found),
    ]
    return checks


def _listening(found: Findings) -> Iterator[Check]:
    listening, port = found.listening, found.port
    if not listening.rows:
        yield Check(
            "listening", BLOCKED, f"nobody listens on TCP port {port} of this PC", f"wirecat serve echo {port} --lan"
        )
        return
    owner = next((printable(row.describe_owner()) for row in listening.rows if row.pid is not None), "")
    full = listening.overflowing
    if full is not None:
        yield Check("listening", WARN, f"{owner or 'a program'} listens on port {port} but does not accept: "
                    f"{full.recv_queue} connections wait", "look at the program: it is busy, or it hangs")  # fmt: skip
    else:
        yield Check("listening", OK, f"{owner or 'a program'} listens on port {port}")
    hosts = sorted(listening.names)
    if listening.loopback_only:
        yield Check("bound", BLOCKED, f"it listens on {', '.join(hosts)}: this PC only",
                    f"bind 0.0.0.0 in place of {hosts[0]}, or: wirecat serve … {port} --lan")  # fmt: skip
    elif listening.doubtful and not listening.hosts["ipv4"]:
        yield Check("bound", UNKNOWN, "it listens on all IPv6 addresses; this system does not tell whether on IPv4 too",
                    "bind 0.0.0.0 as well")  # fmt: skip
    else:
        families = " and ".join({"ipv4": "IPv4", "ipv6": "IPv6"}[f] for f in FAMILIES if listening.hosts[f])
        yield Check("bound", OK, f"it listens on {', '.join(hosts)} ({families})")


def _addresses(found: Findings) -> Iterator[Check]:
    entries = [entry for entry in found.lan.values() if entry is not None]
    if not entries:
        yield Check("addresses", BLOCKED, "this PC has no address on a network", "connect it to a network")
        return
    served = [e for e in entries if found.listening.takes(e)] or entries
    handed = ", ".join(f"[{e.host}]:{found.port}" if e.family == "ipv6" else f"{e.host}:{found.port}" for e in served)
    if found.listening.rows and not found.listening.loopback_only and not any(
        found.listening.takes(entry) for entry in entries
    ):  # fmt: skip
        yield Check("addresses", BLOCKED, f"others would use {handed}, and it does not listen there", "bind 0.0.0.0")
        return
    inside = _virtual_machine(found)
    yield Check("addresses", WARN if inside else OK, f"others use {handed}{inside}",
                "let the host forward the port, or bridge its network" if inside else "")  # fmt: skip


def _virtual_machine(found: Findings) -> str:
    """What warns of a translator inside this very PC: WSL 2, and the usual networks of virtual machines."""
    import sys
    from pathlib import Path

    if sys.platform.startswith("linux"):
        try:
            release = Path("/proc/sys/kernel/osrelease").read_text(encoding="ascii").lower()
        except OSError:
            release = ""
        if "microsoft" in release and "wsl2" in release:
            return "; this is WSL 2, which Windows translates unless its network is mirrored"
    entry = found.lan["ipv4"]
    if entry is not None and found.gateway == "10.0.2.2" and entry.host.startswith("10.0.2."):
        return "; this looks like a virtual machine whose host translates"
    return ""


def _firewall(found: Findings) -> Iterator[Check]:
    for region, whom in ((LAN, "the local network"), (INTERNET, "the internet")):
        answers = [(family, found.firewall[(region, family)]) for family in FAMILIES if (region, family) in found.firewall
                   and found.listening.hosts[family]]  # fmt: skip
        if not answers:
            continue
        states = {answer.state for _, answer in answers}
        # One family that gets in is enough for others to get in; the other is named.
        _, best = min(answers, key=lambda pair: (OK, UNKNOWN, BLOCKED).index(pair[1].state))
        evidence = f"for {whom}: {best.evidence}"
        if len(states) > 1:
            evidence += "".join(f"; not so for {'IPv6' if family == 'ipv6' else 'IPv4'}: {answer.evidence}"
                                for family, answer in answers if answer.state != best.state)  # fmt: skip
        worst = next((answer for _, answer in answers if answer.state != OK), best)
        yield Check(f"firewall-{region}", best.state if len(states) == 1 else (WARN if best.state == OK else best.state),
                    evidence, worst.fix)  # fmt: skip


def _isolation(found: Findings) -> Check:
    came = found.listening.came.get("lan")
    if came:
        return Check("isolation", OK, f"{came}, on the local network, is or was connected")
    if found.proof is not None and found.proof.place == "lan":
        return Check("isolation", OK if found.proof.arrived else BLOCKED, found.proof.words)
    return Check("isolation", UNKNOWN, "whether the Wi-Fi or the switch keeps devices apart (client isolation, a guest "
                 "network) cannot be seen from here", f"on another PC: wirecat reach --serve-peer; here: wirecat reach "
                 f"{found.port} --from-peer HOST")  # fmt: skip


def _gateway(found: Findings) -> Iterator[Check]:
    entry, route = found.lan["ipv4"], found.route("ipv4")
    if route is None:
        yield Check("gateway", BLOCKED, "there is no way to the internet by IPv4 (no default route)")
    elif entry is not None and kind_of(entry.host) == PUBLIC:
        yield Check("gateway", OK, f"{entry.host} is a public address: no address translation is seen")
    else:
        yield Check("gateway", OK, f"the router is {route.gateway or route.interface}; it translates addresses")
    router = found.router
    if router is None:
        return
    said = router.describe()
    if router.can_map and not all(name in router.refusals for name in router.can_map):
        yield Check("protocols", OK, f"the router maps ports on demand ({said})")
    elif all(router.answers[name] == CLOSED for name in PROTOCOLS):
        yield Check("protocols", WARN, f"the router maps no ports on demand ({said})",
                    "switch UPnP or NAT-PMP on in the router, or make the forward there by hand")  # fmt: skip
    elif UNREADABLE in router.answers.values():
        yield Check("protocols", UNKNOWN, f"the router answers, but not so that it can be asked for a port ({said})",
                    "make the forward in the router by hand")  # fmt: skip
    else:
        yield Check("protocols", WARN if router.can_map else UNKNOWN, f"the router maps no ports on demand ({said})",
                    "see in the router's pages whether UPnP or NAT-PMP is on")  # fmt: skip


def _translator(found: Findings) -> Iterator[Check]:
    router = found.router
    if router is None:
        return
    kind, evidence = translator_behind(found)
    relay = (
        f"IPv6, a public address from the provider, or a relay: ssh -R {found.port}:localhost:{found.port} YOUR-HOST"
    )
    if kind == CARRIER:
        yield Check("public-address", BLOCKED, f"{evidence}: the provider translates again (carrier NAT)", relay)
    elif kind == PRIVATE:
        yield Check("public-address", BLOCKED, f"{evidence}: a second router translates again",
                    f"forward in both routers, or let the first be a bridge; else {relay}")  # fmt: skip
    elif kind == HIDDEN:
        yield Check("public-address", BLOCKED, f"{evidence}: a carrier NAT or a second router translates again",
                    f"to see which: wirecat reach {found.port} --probe-path; what helps: {relay}")  # fmt: skip
    elif kind:
        yield Check("public-address", WARN, f"{evidence}, which is no address of the internet")
    elif router.external:
        yield Check("public-address", OK, f"the router's public address is {router.external} ({router.told_by})")
    elif router.external == "":
        yield Check("public-address", WARN, "the router says it has no public address",
                    f"wirecat reach {found.port} --probe-path")  # fmt: skip
    else:
        yield Check("public-address", UNKNOWN, "the router does not tell its public address",
                    "see in the router's pages: 100.64… to 100.127… is a carrier's, 10…, 172.16… to 172.31… and "
                    "192.168… are another router's")  # fmt: skip
    if found.hop is not None:
        odd = kind_of(found.hop) in (CARRIER, PRIVATE)
        yield Check("path", WARN if odd else OK, f"the second router on the way out is {found.hop}"
                    + (": perhaps a second translator" if odd else ""))  # fmt: skip


def _mapping(found: Findings) -> Iterator[Check]:
    if "ipv4" in found.exposed:
        host, port = found.exposed["ipv4"]
        yield Check("mapping", OK, f"wirecat expose holds {host or 'the router'}:{port} for this port")
        return
    router: RouterView | None = found.router
    if router is None:
        return
    if router.mapping is not None:
        protocol, port = router.mapping
        yield Check("mapping", OK, f"the router passes its port {port} on to this PC ({protocol})")
        return
    possible = [name for name in router.can_map if name not in router.refusals]
    fix = f"wirecat expose {found.port}" if possible and translator_behind(found)[0] == "" else find_out(found.port)
    by = f" The router can map it by {', '.join(possible)}." if fix.startswith("wirecat expose") else ""
    yield Check("mapping", UNKNOWN, f"no mapping of the port is seen; {BY_HAND}.{by}", fix)


def _ipv6(found: Findings) -> Iterator[Check]:
    entry = found.lan["ipv6"]
    if entry is None or kind_of(entry.host) != PUBLIC:
        yield Check("ipv6", WARN, "this PC has no global IPv6 address")
        return
    if found.listening.rows and not found.listening.takes(entry):
        yield Check("ipv6", WARN, f"{entry.host} is a global address, but the server does not listen on it", "bind ::")
        return
    if "ipv6" in found.exposed:
        yield Check("ipv6", OK, f"wirecat expose keeps a pinhole for [{entry.host}]:{found.port}")
        return
    pinholes = None if found.router is None else found.router.pinholes
    words = {True: "the router opens pinholes on demand", False: "the router opens no pinholes",
             None: "whether the router lets it in cannot be seen"}[pinholes]  # fmt: skip
    yield Check("ipv6", UNKNOWN, f"{entry.host} is a global address; {words}",
                f"wirecat expose {found.port}" if pinholes else find_out(found.port))  # fmt: skip


def _outside(found: Findings) -> Check:
    if found.proof is not None and found.proof.place == "internet":
        return Check("outside", OK if found.proof.arrived else BLOCKED, found.proof.words)
    came = found.listening.came.get("internet")
    if came:
        return Check("outside", OK, f"{came}, on the internet, is or was connected")
    return Check("outside", UNKNOWN, "nobody outside has been asked to connect",
                 f"on a PC elsewhere: wirecat reach --serve-peer; here: wirecat reach {found.port} --from-peer HOST")  # fmt: skip
