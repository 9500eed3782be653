"""The lab itself: in each variant a real connection gets in from where it should, and from nowhere else."""

from __future__ import annotations

import socket

import pytest

from peers import PATIENCE
from reach.lab.home import PORT, PUBLIC, SERVER, Home

#: Variants, and whether a server behind them is reached from the local network and from outside.
TRUTHS = [
    ((), True, False),
    (("static",), True, True),
    (("upnp-off", "cgnat", "static"), True, False),
    (("upnp-off", "static", "isolate"), False, True),
    (("upnp-off", "static", "hostfw-reject"), False, False),
    (("upnp-off", "static", "hostfw-lan"), True, False),
]


@pytest.mark.parametrize(("variants", "lan", "internet"), TRUTHS)
def test_who_gets_in(variants: tuple[str, ...], lan: bool, internet: bool) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        assert home.neighbour.reaches(SERVER, PORT, PATIENCE if lan else 0.5) is lan
        assert home.outside.reaches(PUBLIC, PORT, PATIENCE if internet else 0.5) is internet


def test_no_namespace_has_a_way_out() -> None:
    """Each host has the interfaces that the lab gave it, and its loopback."""
    with Home("upnp-off") as home:
        for host, wanted in ((home.server, {"eth0"}), (home.neighbour, {"eth0"}), (home.outside, {"eth0"}),
                             (home.router, {"br0", "port20", "port30", "wan0"})):  # fmt: skip
            names = {name for _, name in host.inside(socket.if_nameindex)}
            assert names == wanted | {"lo"}
