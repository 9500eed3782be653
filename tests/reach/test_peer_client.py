"""The outside view in the lab: what a peer on the local network or outside proves, as a real connection from there."""

from __future__ import annotations

import json
import re

import pytest

from reach.campaign import some_of
from reach.lab.home import NEIGHBOUR, OUTSIDE, PORT, PUBLIC, Home
from reach.lab.namespaces import Host
from reach.truth import check, report
from wirecat.errors import NoAnswer, Refused, UsageError, WirecatError
from wirecat.reach.peer_server import PeerServer
from wirecat.reach.reach import reach

#: Variants, and who really gets in: from the local network, from outside.
CASES = some_of(
    [(("static",), True, True), (("static", "hostfw-lan"), True, False), (("upnp-off", "isolate"), False, False)],
    [((), True, False), (("hostfw",), False, False), (("static", "hostfw-reject"), False, False),
     (("cgnat", "upnp-off"), True, False)],
)  # fmt: skip


def asked(home: Home, peer: Host, address: str) -> dict[str, object]:
    with peer.inside(lambda: PeerServer()):
        return report(home, "--from-peer", address)


@pytest.mark.parametrize(
    ("variants", "lan", "internet"),
    CASES,
    ids=lambda value: "+".join(value) or "base" if isinstance(value, tuple) else None,
)
def test_what_a_peer_proves_is_the_truth(variants: tuple[str, ...], lan: bool, internet: bool) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        seen = asked(home, home.neighbour, NEIGHBOUR)
        assert seen["verdict"]["lan"] == ("ok" if lan else "blocked"), seen  # type: ignore[index]
        assert check(seen, "isolation")["state"] == ("ok" if lan else "blocked")
        seen = asked(home, home.outside, OUTSIDE)
        assert seen["verdict"]["internet4"] == ("ok" if internet else "blocked"), seen  # type: ignore[index]
        assert check(seen, "outside")["state"] == ("ok" if internet else "blocked")


def test_a_router_s_own_service_is_no_proof() -> None:
    with Home("upnp-off") as home, home.server.listen(PORT), home.router.listen(PORT):
        home.router.nft(f"insert rule inet filter input tcp dport {PORT} accept")
        assert home.outside.reaches(PUBLIC, PORT, 20)
        seen = asked(home, home.outside, OUTSIDE)
    assert seen["verdict"]["internet4"] == "blocked"  # type: ignore[index]
    assert "a router's own service" in check(seen, "outside")["evidence"]


def test_the_commands_on_both_sides() -> None:
    with Home("upnp-off", "static") as home, home.server.listen(PORT):
        from peers import wirecat_command

        with home.outside.program(*wirecat_command("reach", "--serve-peer", "23456")) as peer:
            peer.wait_for("stderr", rb"--from-peer 11\.77\.0\.9:23456")
            ended = home.server.wirecat("reach", str(PORT), "--from-peer", f"{OUTSIDE}:23456", "--scope", "internet")
            assert ended.returncode == 0, ended.stderr
            assert re.search(r"ok +the internet \(IPv4\) +they get in: a connection from 11\.77\.0\.9", ended.stdout)
            peer.wait_for("stderr", rb"11\.77\.0\.2 asked: its port 12345 is open")
            peer.interrupt()
            assert peer.wait() == 0


def test_peers_that_cannot_be_asked() -> None:
    with Home("upnp-off") as home, home.server.listen(PORT):
        with pytest.raises(Refused, match="--serve-peer"):
            home.server.inside(lambda: reach(PORT, from_peer=NEIGHBOUR))
        with home.neighbour.listen(2300) as mute:
            mute.settimeout(20)

            def close_at_once() -> None:
                mute.accept()[0].close()

            import threading

            thread = threading.Thread(target=close_at_once)
            thread.start()
            with pytest.raises(WirecatError, match="closed the connection|does not answer"):
                home.server.inside(lambda: reach(PORT, from_peer=f"{NEIGHBOUR}:2300"))
            thread.join()
        home.neighbour.nft(
            "table inet f { chain in { type filter hook input priority 0; policy drop;\n meta l4proto icmp accept\n}\n}"
        )
        with pytest.raises(NoAnswer, match="cannot be asked"):
            home.server.inside(lambda: reach(PORT, from_peer=NEIGHBOUR))
        with pytest.raises(UsageError, match="HOST or HOST:PORT"):
            home.server.inside(lambda: reach(PORT, from_peer="host:x"))


@pytest.mark.parametrize(("scope", "place"), [("lan", "lan"), ("internet", "internet")])
def test_watching_for_somebody(scope: str, place: str) -> None:
    from peers import wirecat_command

    with Home("upnp-off", "static") as home, home.server.listen(PORT):
        with home.server.program(
            *wirecat_command("reach", str(PORT), "--watch", "--json", "--scope", scope)
        ) as watching:
            watching.wait_for("stderr", b"waiting until somebody connects")
            with home.server.connect("127.0.0.1", PORT):
                peer, address = (home.neighbour, "192.168.77.20") if place == "lan" else (home.outside, PUBLIC)
                with peer.connect(address, PORT):
                    assert watching.wait() == 0
            assert json.loads(watching.stdout)["place"] == place


def test_a_code_for_phones() -> None:
    pytest.importorskip("segno")
    with Home("upnp-off") as home, home.server.listen(PORT):
        ended = home.server.wirecat("reach", str(PORT), "--qr")
    assert "http://192.168.77.20:12345/" in ended.stderr
    assert ended.stderr.count("\n") > 10
