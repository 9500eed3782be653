"""The kernel's network settings (sysctl) of the calling thread's network that decide whether a connection is answered."""

from __future__ import annotations

import os

from wirecat.system.kernel_file import read_kernel_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ROOT = "/proc/sys/net"

#: Of the whole network.
_GLOBAL = (
    "ipv4/fib_multipath_hash_policy",
    "ipv4/fwmark_reflect",
    "ipv4/ip_forward",
    "ipv4/ip_nonlocal_bind",
    "ipv4/tcp_fwmark_accept",
    "ipv4/tcp_l3mdev_accept",
    "ipv4/tcp_syncookies",
    "ipv6/bindv6only",
    "ipv6/fib_multipath_hash_policy",
    "ipv6/fwmark_reflect",
    "ipv6/ip_nonlocal_bind",
    "netfilter/nf_conntrack_checksum",
    "netfilter/nf_conntrack_tcp_be_liberal",
    "netfilter/nf_conntrack_tcp_loose",
    "bridge/bridge-nf-call-arptables",
    "bridge/bridge-nf-call-ip6tables",
    "bridge/bridge-nf-call-iptables",
    "bridge/bridge-nf-filter-vlan-tagged",
    "bridge/bridge-nf-pass-vlan-input-dev",
)

#: Of each interface, and of "all" and "default".
_OF_INTERFACES = {
    "ipv4": (
        "accept_local",
        "arp_announce",
        "arp_filter",
        "arp_ignore",
        "disable_policy",
        "disable_xfrm",
        "drop_unicast_in_l2_multicast",
        "forwarding",
        "ignore_routes_with_linkdown",
        "proxy_arp",
        "route_localnet",
        "rp_filter",
        "src_valid_mark",
    ),
    "ipv6": (
        "disable_ipv6",
        "disable_policy",
        "forwarding",
        "ignore_routes_with_linkdown",
        "proxy_ndp",
        "rpl_seg_enabled",
        "seg6_enabled",
    ),
}


def read_settings(interfaces: Iterable[str]) -> dict[str, bytes]:
    """The settings by their place below /proc/sys/net; those that this kernel does not have are left out."""
    names = list(_GLOBAL)
    for interface in ("all", "default", *interfaces):
        for family, settings in _OF_INTERFACES.items():
            names += [f"{family}/conf/{interface}/{setting}" for setting in settings]
    found = {}
    for name in names:
        try:
            found[name] = read_kernel_file(f"{_ROOT}/{name}").strip()
        except OSError:
            continue  # not in this kernel, or of an interface that is gone
    return found


def write_settings(settings: dict[str, bytes]) -> list[str]:
    """Write settings that differ from what is there; the names of those that could not be written.

    Never for a thread in the machine's own network.
    """
    failed = []
    for name, value in settings.items():
        try:
            if read_kernel_file(f"{_ROOT}/{name}").strip() != value:
                descriptor = os.open(f"{_ROOT}/{name}", os.O_WRONLY | os.O_CLOEXEC)
                try:
                    os.write(descriptor, value)
                finally:
                    os.close(descriptor)
        except FileNotFoundError:
            continue  # one for the whole machine, and so in force here too
        except OSError:
            failed.append(name)
    return failed
