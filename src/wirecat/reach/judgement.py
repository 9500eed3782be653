"""From findings to verdicts: who gets in, proven, likely, not at all, or unknown; never a guess as a fact."""

from __future__ import annotations

from wirecat.reach.packet import INTERNET, LAN
from wirecat.reach.places import CARRIER, PRIVATE, PUBLIC, kind_of
from wirecat.reach.report import BLOCKED, LIKELY, OK, UNKNOWN, Verdict, better

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.findings import Findings

_NAMES = {"ipv4": "IPv4", "ipv6": "IPv6"}
#: Beside CARRIER and PRIVATE: one of the two, and the router does not say which.
HIDDEN = "hidden"
BY_HAND = "a forward made by hand in the router cannot be seen from here"


def judge(found: Findings) -> dict[str, Verdict]:
    """A verdict for each of ``report.VERDICTS``."""
    lan = better(_judge_lan(found, "ipv4"), _judge_lan(found, "ipv6"))
    four, six = _judge_internet4(found), _judge_internet6(found)
    return {
        "host": _judge_host(found),
        "lan": lan,
        "internet": better(four, six),
        "internet4": four,
        "internet6": six,
    }


def find_out(port: int) -> str:
    """How somebody outside can prove it."""
    return f"wirecat reach {port} --watch, and open the address with a phone on mobile data"


def _judge_host(found: Findings) -> Verdict:
    if not found.listening.rows:
        return _nobody(found)
    proof = found.proof
    if proof is not None and proof.place == "host":
        return Verdict(OK if proof.arrived else BLOCKED, proof.words)
    if "host" in found.listening.came:
        return Verdict(OK, "a program of this PC is, or was, connected")
    return Verdict(LIKELY, "it listens, and nothing stands between")


def _nobody(found: Findings) -> Verdict:
    return Verdict(BLOCKED, f"nobody listens on port {found.port}")


def _judge_proof(found: Findings, place: str, family: str) -> Verdict | None:
    """What a connection made on our behalf proves, before anything else is looked at."""
    proof = found.proof
    if proof is None or proof.place != place or proof.family != family:
        return None
    return Verdict(OK if proof.arrived else BLOCKED, proof.words)


def _judge_common(found: Findings, region: str, family: str) -> Verdict | None:
    """What is in the way on this PC itself; None for nothing."""
    listening = found.listening
    if not listening.rows:
        return _nobody(found)
    if listening.loopback_only:
        return Verdict(BLOCKED, "it listens on this PC's own address only")
    entry = found.lan[family]
    if entry is None:
        return Verdict(BLOCKED, f"this PC has no {_NAMES[family]} address on a network")
    if not listening.takes(entry):
        if listening.doubtful and family == "ipv4":
            return Verdict(UNKNOWN, "it listens on all IPv6 addresses, perhaps for IPv4 too: this system does not tell")
        return Verdict(BLOCKED, f"it does not listen on {entry.host} of {entry.name}")
    if found.passes(region, family) == BLOCKED:
        return Verdict(BLOCKED, found.firewall[(region, family)].evidence)
    return None


def _judge_lan(found: Findings, family: str) -> Verdict:
    proven = _judge_proof(found, "lan", family)
    if proven is not None:
        return proven
    stopped = _judge_common(found, LAN, family)
    if stopped is not None:
        return stopped
    came = found.listening.came.get("lan", "")
    if came and (":" in came) == (family == "ipv6"):
        return Verdict(OK, f"{came} is, or was, connected")
    if found.passes(LAN, family) == UNKNOWN:
        return Verdict(UNKNOWN, found.firewall[(LAN, family)].evidence)
    evidence = found.firewall[(LAN, family)].evidence
    return Verdict(LIKELY, f"{evidence}; whether the Wi-Fi keeps devices apart cannot be seen here")


def _judge_internet4(found: Findings) -> Verdict:
    proven = _judge_proof(found, "internet", "ipv4")
    if proven is not None:
        return proven
    stopped = _judge_common(found, INTERNET, "ipv4")
    if stopped is not None:
        return stopped
    came = found.listening.came.get("internet", "")
    if came and ":" not in came:
        return Verdict(OK, f"{came} is, or was, connected")
    entry = found.lan["ipv4"]
    if found.route("ipv4") is None:
        return Verdict(BLOCKED, "this PC has no way to the internet (no default route)")
    hidden = _judge_translator(found)
    if hidden is not None and hidden.state == BLOCKED:
        return hidden
    if found.passes(INTERNET, "ipv4") == UNKNOWN:
        return Verdict(UNKNOWN, found.firewall[(INTERNET, "ipv4")].evidence)
    if entry is not None and kind_of(entry.host) == PUBLIC:
        return Verdict(LIKELY, f"{entry.host} is a public address; a firewall of the provider cannot be seen from here")
    mapped = _mapped_to(found)
    if mapped:
        return Verdict(LIKELY, f"the router passes {mapped} on to this PC")
    if hidden is not None:
        return hidden
    router = found.router
    if router is not None and router.can_map and router.external:
        how = ", ".join(router.can_map)
        by_hand = f"{BY_HAND}; to find out: {find_out(found.port)}"
        return Verdict(UNKNOWN, f"the router can map the port ({how}): wirecat expose {found.port}; {by_hand}")
    return Verdict(UNKNOWN, f"{BY_HAND}; to find out: {find_out(found.port)}")


def _mapped_to(found: Findings) -> str:
    """The public address and port that lead here, "" for none known."""
    router = found.router
    if "ipv4" in found.exposed:
        host, port = found.exposed["ipv4"]
        return f"{host}:{port}" if host else f"its port {port}"
    if router is not None and router.mapping is not None:
        port = router.mapping[1]
        return f"{router.external}:{port}" if router.external else f"its port {port}"
    return ""


def translator_behind(found: Findings) -> tuple[str, str]:
    """CARRIER, PRIVATE or HIDDEN, and the evidence, where a second translator is between the router and the internet."""
    router = found.router
    if router is not None and router.external:
        kind = kind_of(router.external)
        return (
            (kind, f"the router's own address is {router.external} ({router.told_by})") if kind != PUBLIC else ("", "")
        )
    if router is not None and router.external == "" and found.hop is not None:
        kind = kind_of(found.hop)
        if kind in (CARRIER, PRIVATE):
            return kind, f"the router says it has no public address, and behind it is {found.hop}"
    if router is not None and router.external == "" and router.without_address:
        return HIDDEN, f"the router says it has no public address ({router.without_address})"
    return "", ""


def _judge_translator(found: Findings) -> Verdict | None:
    kind, evidence = translator_behind(found)
    if kind == CARRIER:
        return Verdict(BLOCKED, f"carrier NAT: {evidence}, which the provider shares among customers")
    if kind == PRIVATE:
        return Verdict(BLOCKED, f"a second router, unless both forward: {evidence}, which is a private address")
    if kind == HIDDEN:
        return Verdict(BLOCKED, f"carrier NAT or a second router, unless both forward: {evidence}")
    router = found.router
    if kind:
        return Verdict(UNKNOWN, f"{evidence}, which is no address of the internet")
    if router is not None and router.external == "":
        return Verdict(
            UNKNOWN, "the router says it has no public address: a carrier's NAT or a second router is likely"
        )
    return None


def _judge_internet6(found: Findings) -> Verdict:
    proven = _judge_proof(found, "internet", "ipv6")
    if proven is not None:
        return proven
    stopped = _judge_common(found, INTERNET, "ipv6")
    if stopped is not None:
        return stopped
    entry = found.lan["ipv6"]
    if entry is None or kind_of(entry.host) != PUBLIC:
        return Verdict(BLOCKED, "this PC has no global IPv6 address")
    came = found.listening.came.get("internet", "")
    if ":" in came:
        return Verdict(OK, f"{came} is, or was, connected")
    if found.route("ipv6") is None:
        return Verdict(BLOCKED, "this PC has no way to the internet by IPv6 (no default route)")
    if found.passes(INTERNET, "ipv6") == UNKNOWN:
        return Verdict(UNKNOWN, found.firewall[(INTERNET, "ipv6")].evidence)
    if "ipv6" in found.exposed:
        return Verdict(LIKELY, f"the router lets port {found.exposed['ipv6'][1]} of this PC in")
    if found.router is not None and found.router.pinholes:
        return Verdict(UNKNOWN, f"the router keeps IPv6 out until asked: wirecat expose {found.port}")
    return Verdict(UNKNOWN, "whether the router lets IPv6 in cannot be seen from here")
