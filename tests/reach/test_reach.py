"""The verb in the lab, variant by variant: what it says from inside, and whether that is true."""

from __future__ import annotations

import pytest

from peers import peer
from reach.campaign import some_of
from reach.lab.home import PORT, Home
from reach.lab.namespaces import Host, require_namespaces
from reach.truth import check, hold_against_the_truth, report
from wirecat.errors import UsageError
from wirecat.reach.reach import reach

BASE = some_of([((),), (("natpmp-only",),), (("isolate",),)], [(("igd1",),), (("upnp-only",),), (("hostfw-open",),)])
BY_HAND = some_of([(("static",),)], [(("upnp-off",),), (("hairpin",),), (("upnp-off", "static"),)])


def ids(variants: tuple[str, ...]) -> str:
    return "+".join(variants) or "base"


@pytest.mark.parametrize("variants", BASE, ids=ids)
def test_a_router_that_could_map_the_port(variants: tuple[str, ...]) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        document = report(home)
        hold_against_the_truth(home, document)
    assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("likely", "unknown")
    mapping = check(document, "mapping")
    assert mapping["fix"] == f"wirecat expose {PORT}"
    # On a machine that is busy elsewhere a router's slowest protocol may answer too late; one is enough to map a port.
    spoken = {"natpmp-only": ["NAT-PMP", "PCP"], "upnp-only": ["UPnP"]}.get(ids(variants), ["UPnP", "NAT-PMP", "PCP"])
    assert any(protocol in mapping["evidence"] for protocol in spoken)
    assert "client isolation" in check(document, "isolation")["evidence"]
    assert check(document, "public-address")["state"] == "ok"


@pytest.mark.parametrize("variants", BY_HAND, ids=ids)
def test_a_forward_made_by_hand_cannot_be_seen(variants: tuple[str, ...]) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        document = report(home)
        hold_against_the_truth(home, document)
    assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("likely", "unknown")
    assert "made by hand in the router cannot be seen" in check(document, "mapping")["evidence"]
    assert "--serve-peer" in check(document, "outside")["fix"]


@pytest.mark.parametrize(
    ("variants", "words"),
    some_of(
        [(("cgnat",), "carrier NAT"), (("doublenat",), "second router")], [(("cgnat", "natpmp-only"), "carrier NAT")]
    ),
    ids=lambda value: ids(value) if isinstance(value, tuple) else value,
)
def test_a_second_translator(variants: tuple[str, ...], words: str) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        document = report(home)
        hold_against_the_truth(home, document)
    assert (document["verdict"]["lan"], document["verdict"]["internet4"]) == ("likely", "blocked")
    address = check(document, "public-address")
    assert address["state"] == "blocked"
    assert words in address["evidence"]
    assert "ssh -R" in address["fix"]


@pytest.mark.parametrize(
    "variants", some_of([(("hostfw",),)], [(("hostfw-reject",),), (("hostfw", "cgnat"),)]), ids=ids
)
def test_the_firewall_of_this_pc_and_its_mend(variants: tuple[str, ...]) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        document = report(home)
        hold_against_the_truth(home, document)
        assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("blocked", "blocked")
        stopped = check(document, "firewall-lan")
        assert ("reject with tcp reset" if "hostfw-reject" in variants else "policy drop") in stopped["evidence"]
        home.server.must(*stopped["fix"].split())
        mended = report(home)
        hold_against_the_truth(home, mended)
        assert mended["verdict"]["lan"] == "likely"


def test_a_rule_for_the_local_network_stops_a_forward() -> None:
    """The source of a connection survives the router's translation: it is a stranger to the rule."""
    with Home("hostfw-lan", "static") as home, home.server.listen(PORT):
        document = report(home)
        hold_against_the_truth(home, document)
        assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("likely", "blocked")
        home.server.must(*check(document, "firewall-internet")["fix"].split())
        assert report(home)["verdict"]["internet"] == "unknown"
        assert home.outside.reaches("11.77.0.2", PORT, 20)


@pytest.mark.parametrize("variants", some_of([((),)], [(("static",),), (("hostfw-open",),)]), ids=ids)
def test_a_server_for_this_pc_only(variants: tuple[str, ...]) -> None:
    with Home(*variants) as home, home.server.listen(PORT, "127.0.0.1"):
        document = report(home, "--scope", "internet")
        hold_against_the_truth(home, document)
    assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("blocked", "blocked")
    assert document["verdict"]["host"] == "likely"


def test_both_families() -> None:
    with Home() as home, home.server.listen(PORT, "::"):
        document = report(home)
    assert check(document, "bound")["evidence"] == "it listens on :: (IPv4 and IPv6)"
    assert document["verdict"]["internet6"] == "unknown"
    assert "opens pinholes on demand" in check(document, "ipv6")["evidence"]


def test_a_connection_that_came_is_a_proof() -> None:
    with Home("upnp-off", "static") as home, home.server.listen(PORT):
        with home.neighbour.connect("192.168.77.20", PORT), home.outside.connect("11.77.0.2", PORT):
            document = report(home)
    assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("ok", "ok")
    assert "192.168.77.30" in check(document, "isolation")["evidence"]
    assert "11.77.0.9" in check(document, "outside")["evidence"]


@pytest.mark.parametrize(
    "variants",
    some_of([(("cgnat", "upnp-only"),)],
            [(("doublenat", "upnp-only"),), (("cgnat", "natpmp-only", "pcp-refused"),),
             (("cgnat", "upnp-only", "igd1"),)]), ids=ids)  # fmt: skip
def test_a_router_that_names_no_address_although_it_is_connected(variants: tuple[str, ...]) -> None:
    """Which of the two it is behind is seen by asking the second router, which is done on demand only."""
    with Home(*variants) as home, home.server.listen(PORT):
        document = report(home)
        hold_against_the_truth(home, document)
        address = check(document, "public-address")
        verdicts = document["verdict"]
        assert (verdicts["lan"], verdicts["internet"], address["state"]) == ("likely", "blocked", "blocked")
        assert "a carrier NAT or a second router" in address["evidence"]
        assert f"wirecat reach {PORT} --probe-path" in address["fix"]
        assert all(each["name"] != "path" for each in document["checks"])
        document = report(home, "--probe-path")
    assert document["verdict"]["internet4"] == "blocked"
    carrier = "cgnat" in variants
    hop = "100.64.7.1" if carrier else "192.168.1.1"
    assert check(document, "path")["evidence"].startswith(f"the second router on the way out is {hop}")
    assert ("carrier NAT" if carrier else "a second router") in check(document, "public-address")["evidence"]


def test_a_router_that_says_nothing_is_waited_for_at_most_five_seconds() -> None:
    with Home("upnp-off") as home, home.server.listen(PORT):
        home.router.nft(
            "table inet mute { chain in { type filter hook input priority -10;\n iifname br0 udp dport != 53 drop\n}\n}"
        )
        found = home.server.inside(lambda: reach(PORT))
    states = {each.name: each.state for each in found.checks}
    assert (states["protocols"], states["public-address"]) == ("unknown", "unknown")
    assert found.verdict["internet4"] == "unknown"


def test_as_a_library_and_wrong_use() -> None:
    require_namespaces()
    host = Host("alone")
    try:
        found = host.inside(lambda: reach(12345))
        assert set(found.verdict.values()) == {"blocked"}
        assert found.addresses == []
    finally:
        host.close()
    with pytest.raises(UsageError, match="1 to 65535"):
        reach(0)


def test_the_lab_has_its_programs() -> None:
    for name in ("ip", "nft", "miniupnpd", "iptables"):
        assert peer(name)
