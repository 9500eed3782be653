"""What else than firewall rules can stop or divert a connection on Linux, and cannot be copied: told, where it is there.

Programs of BPF and traffic filters on an interface, IPsec policies, IPVS services, a full connection table. Each function
answers without loading a kernel module.
"""

from __future__ import annotations

import struct

from wirecat.system.kernel_file import read_kernel_file
from wirecat.system.kernel_modules import is_loaded
from wirecat.system.netlink_socket import NETLINK_ROUTE, NETLINK_XFRM, NetlinkSocket
from wirecat.wire import rtnetlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.wire.rtnetlink import Link

_XFRM_GET_POLICY = 21
# xfrm_selector: destination, source, ports with masks, family, prefix lengths, protocol, interface, user
_SELECTOR = struct.Struct("=16s16s2s2s2s2sHBBBxxxiI")


def find_traffic_programs(link: Link) -> str:
    """The name of what handles packets on an interface beside the rules: an XDP program, filters of tc(8); or ""."""
    if link.has_xdp:
        return f"an XDP program on {link.name}"
    with NetlinkSocket(NETLINK_ROUTE) as kernel:
        for parent in (rtnetlink.INGRESS, rtnetlink.EGRESS):
            try:
                found = kernel.dump(rtnetlink.GET_FILTER, rtnetlink.filter_request(link.index, parent))
            except OSError:
                continue  # a kernel without traffic filters, or nothing to hang them on
            if found:
                return f"a traffic filter (tc) on {link.name}"
    return ""


def has_ipsec_policy(family: int, one: bytes, other: bytes) -> bool:
    """Whether an IPsec policy applies between two addresses, in either direction."""
    if not is_loaded("xfrm_user", "xfrm_user_policy"):
        return False
    try:
        with NetlinkSocket(NETLINK_XFRM) as kernel:
            bodies = kernel.dump(_XFRM_GET_POLICY, b"")
    except OSError:
        return False  # a kernel without IPsec
    return any(_applies(body, family, a, b) for body in bodies for a, b in ((one, other), (other, one)))


def _applies(policy: bytes, family: int, destination: bytes, source: bytes) -> bool:
    if len(policy) < _SELECTOR.size:
        return False
    to, of, _, _, _, _, number, to_bits, of_bits, _, _, _ = _SELECTOR.unpack_from(policy)
    return number in (0, family) and is_within(destination, to, to_bits) and is_within(source, of, of_bits)


def is_within(address: bytes, network: bytes, bits: int) -> bool:
    """Whether the first ``bits`` bits of two raw addresses are the same."""
    if not bits:
        return True
    size = len(address) * 8
    first, second = (
        int.from_bytes(address, "big"),
        int.from_bytes(network[: len(address)].ljust(len(address), b"\0"), "big"),
    )
    return first >> (size - bits) == second >> (size - bits)


def has_ipvs_service(port: int) -> bool:
    """Whether IPVS, the kernel's load balancer, takes connections to a TCP port."""
    try:
        lines = read_kernel_file("/proc/thread-self/net/ip_vs").decode("ascii").splitlines()
    except OSError:
        return False
    return any(line.startswith("TCP ") and line.split()[1].endswith(f":{port:04X}") for line in lines)


def is_connection_table_full() -> bool:
    """Whether the kernel refuses to track one more connection (nf_conntrack_max), and so drops its packets."""
    try:
        count, most = (
            int(read_kernel_file(f"/proc/sys/net/netfilter/nf_conntrack_{name}")) for name in ("count", "max")
        )
    except OSError:
        return False
    return 0 < most <= count
