"""What kind of network each interface leads to, as the Linux kernel tells: its kind and its ports, not its name."""

from __future__ import annotations

import sys

NETWORK, INSIDE, TUNNEL = "network", "inside", "tunnel"
"""A network of other hosts; one inside this machine (containers, virtual machines); one other end (a VPN)."""

_PORTS_OF_GUESTS = ("veth", "tun")
_INSIDE_KINDS = ("dummy", "ifb", "vxlan")


def read_interface_kinds() -> dict[str, str]:
    """The kind of each interface of the calling thread's network, by name; empty where the system does not tell.

    A bridge is inside this machine where no port of it is hardware: Docker's, libvirt's. One with such a port is a network,
    whatever its name.
    """
    if not sys.platform.startswith("linux"):
        return {}
    from wirecat.system.netlink_socket import NETLINK_ROUTE, NetlinkSocket
    from wirecat.wire import rtnetlink

    try:
        with NetlinkSocket(NETLINK_ROUTE) as kernel:
            links = [rtnetlink.Link(body) for body in kernel.dump(rtnetlink.GET_LINK, rtnetlink.link_request())]
    except OSError:
        return {}
    found = {}
    for link in links:
        ports = [each for each in links if each.master == link.index]
        is_inside = link.kind in _INSIDE_KINDS or (
            link.kind == "bridge" and all(port.kind in _PORTS_OF_GUESTS for port in ports)
        )
        found[link.name] = INSIDE if is_inside else TUNNEL if link.is_tunnel else NETWORK
    return found
