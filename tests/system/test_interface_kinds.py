"""What the kernel tells of interfaces, whatever their names."""

from __future__ import annotations

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.reach.findings import lan_address
from wirecat.system.interface_kinds import INSIDE, NETWORK, TUNNEL, read_interface_kinds
from wirecat.system.interfaces import list_interfaces
from wirecat.system.routes import default_routes


def test_kind_is_not_told_by_the_name() -> None:
    peer("ip")
    require_namespaces()
    host = Host("kinds")
    try:
        host.ip("link add docker7 type veth peer name far", "link set docker7 up", "link set far up",
                "link add eth9 type bridge", "link set eth9 up", "link add br-lan type bridge",
                "tuntap add dev net0 mode tun", "link add link far name real0 type macvlan",
                "link set real0 up", "link set real0 master br-lan", "link set br-lan up",
                "addr add 192.168.7.2/24 dev docker7", "addr add 172.17.0.1/16 dev eth9",
                "addr add 10.8.0.2/24 dev br-lan")  # fmt: skip
        kinds = host.inside(read_interface_kinds)
        assert (kinds["docker7"], kinds["eth9"], kinds["net0"], kinds["br-lan"]) == (NETWORK, INSIDE, TUNNEL, NETWORK)

        def choose() -> str:
            entry = lan_address(list_interfaces(), default_routes(), "ipv4")
            return "" if entry is None else entry.name

        assert host.inside(choose) in ("docker7", "br-lan")
        host.ip(
            "link set real0 nomaster",
            "link add g0 type veth peer name g1",
            "link set g0 up",
            "link set g1 up",
            "link set g0 master br-lan",
            "route add default via 10.8.0.1 dev br-lan onlink",
        )
        assert host.inside(read_interface_kinds)["br-lan"] == INSIDE
        assert host.inside(choose) == "br-lan"  # a default route leads by it
    finally:
        host.close()
