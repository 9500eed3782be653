"""What stands around an IP packet in a capture: the headers of links, and tunnels within IP.

Each function takes a place in the packet and gives the kind (an EtherType) and the place of what is inside, or raises
Unknown with the name of what is not decoded, as people know it.
"""

from __future__ import annotations

import struct

IPV4, IPV6 = 0x0800, 0x86DD
_ETHERNET_FRAME = 0x6558  # an Ethernet frame inside a tunnel (RFC 1701)
_VLAN = (0x8100, 0x88A8, 0x9100)
_MPLS = (0x8847, 0x8848)
_PPPOE = 0x8864
_PPP_KINDS = {0x0021: IPV4, 0x0057: IPV6, 0x0281: 0x8847, 0x0283: 0x8848}
_LONGEST_8023 = 1500  # as an EtherType: a length, and LLC follows (IEEE 802.3 clause 3.2.6)
_MOST_HEADERS = 16
_NFLOG_PAYLOAD = 9  # NFULA_PAYLOAD of linux/netfilter/nfnetlink_log.h
_VXLAN, _VXLAN_OF_LINUX, _GENEVE, _GTP = 4789, 8472, 6081, (2123, 2152)

_ETHERTYPES = {
    0x0806: "ARP", 0x8035: "RARP", 0x88CC: "LLDP", 0x8863: "PPPoE discovery", 0x888E: "802.1X", 0x8809: "LACP",
    0x88E5: "MACsec (encrypted)", 0x8137: "IPX", 0x809B: "AppleTalk", 0x9000: "Ethernet loopback tests",
    0x88F7: "PTP", 0x8899: "Realtek management", 0x88E1: "HomePlug", 0x893A: "IEEE 1905", 0x8902: "Ethernet OAM",
}  # fmt: skip
_PROTOCOLS = {
    1: "ICMP", 2: "IGMP", 50: "ESP (IPsec, encrypted)", 51: "AH (IPsec)", 58: "ICMPv6", 59: "IPv6 without contents",
    88: "EIGRP", 89: "OSPF", 103: "PIM", 112: "VRRP", 115: "L2TP", 132: "SCTP", 33: "DCCP", 136: "UDP-Lite",
}  # fmt: skip
_LINKS = {
    6: "Token Ring", 7: "ARCNET", 10: "FDDI", 105: "IEEE 802.11", 107: "Frame Relay", 119: "IEEE 802.11 with Prism headers",
    127: "IEEE 802.11 with radiotap headers", 163: "IEEE 802.11 with AVS headers", 187: "Bluetooth", 189: "USB",
    192: "PPI", 195: "IEEE 802.15.4", 201: "Bluetooth", 203: "LAPD", 220: "USB", 227: "CAN", 249: "USB",
    251: "Bluetooth LE", 252: "exported PDUs of Wireshark", 253: "netlink", 256: "Bluetooth LE",
}  # fmt: skip
_word = struct.Struct("!H").unpack_from


class Unknown(Exception):
    """A packet of which nothing can be given; ``name`` is what it is."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def link_payload(link_type: int, data: bytes) -> tuple[int, int]:
    """What a frame of ``link_type`` (https://www.tcpdump.org/linktypes.html) carries, and where that begins."""
    if link_type == 1:
        return _word(data, 12)[0], 14
    if link_type in (12, 14, 101, 228, 229):
        return _by_version(data, 0)
    if link_type in (0, 108):  # an address family, in some byte order; the version of IP tells as much
        return _by_version(data, 4)
    if link_type == 113:
        return _cooked(_word(data, 14)[0]), 16
    if link_type == 276:
        return _cooked(_word(data, 0)[0]), 20
    if link_type in (9, 50):
        return _ppp(data, 2 if data[:2] == b"\xff\x03" else 0)
    if link_type == 51:
        return _PPPOE, 0
    if link_type == 104:  # Cisco's HDLC; some write PPP in HDLC-like framing under the same number
        return _ppp(data, 2) if data[:2] == b"\xff\x03" else (_word(data, 2)[0], 4)
    if link_type == 109:  # OpenBSD's encapsulating interface
        return _by_version(data, 12)
    if link_type == 117:  # OpenBSD's pflog: the first byte is the header's length, without its padding
        return _by_version(data, data[0] + 3 & ~3)
    if link_type == 239:
        return _nflog(data)
    raise Unknown(_LINKS.get(link_type, f"link type {link_type}"))


def network_payload(kind: int, place: int, data: bytes) -> tuple[int, int]:
    """Down through VLAN tags, labels, LLC and PPP to the IP packet: IPV4 or IPV6, and where it begins."""
    for _ in range(_MOST_HEADERS):
        if kind in (IPV4, IPV6):
            return kind, place
        if kind in _VLAN:
            kind, place = _word(data, place + 2)[0], place + 4
        elif kind in _MPLS:
            kind, place = _mpls(data, place)
        elif kind == _PPPOE:
            kind, place = _ppp(data, place + 6)
        elif kind == _ETHERNET_FRAME:
            kind, place = _word(data, place + 12)[0], place + 14
        elif kind <= _LONGEST_8023:
            kind, place = _llc(data, place)
        else:
            break
    raise Unknown(_ETHERTYPES.get(kind, f"EtherType 0x{kind:04x}"))


def protocol_payload(protocol: int, data: bytes, place: int) -> tuple[int, int]:
    """What is inside a tunnel that has a protocol number of IP: IP in IP (RFC 2003, RFC 4213) and GRE."""
    if protocol == 4:
        return IPV4, place
    if protocol == 41:
        return IPV6, place
    if protocol == 47:
        return _gre(data, place)
    if protocol == 137:
        return _MPLS[0], place
    raise Unknown(_PROTOCOLS.get(protocol, f"IP protocol {protocol}"))


def tunnel_payload(data: bytes, start: int) -> tuple[int, int] | None:
    """What is inside a UDP datagram that is a tunnel's: VXLAN (RFC 7348 section 5) or Geneve (RFC 8926 section 3.4).
    None for any other, and for one that does not look like it. Raises Unknown for GTP."""
    target = _word(data, start + 2)[0]
    place = start + 8
    if target in (_VXLAN, _VXLAN_OF_LINUX):
        if len(data) >= place + 8 + 14 and data[place] == 8 and data[place + 1 : place + 4] == b"\0\0\0":
            return _ETHERNET_FRAME, place + 8
    elif target == _GENEVE:
        if len(data) >= place + 8 and data[place] >> 6 == 0 and not data[place + 1] & 0x3F:
            return _word(data, place + 2)[0], place + 8 + (data[place] & 0x3F) * 4
    elif (target in _GTP or _word(data, start)[0] in _GTP) and _is_gtp(data, place, _word(data, start + 4)[0] - 8):
        raise Unknown("GTP")
    return None


def _is_gtp(data: bytes, place: int, size: int) -> bool:
    """By version and length (3GPP TS 29.060 section 6, TS 29.274 section 5.1)."""
    if len(data) < place + 4:
        return False
    version, length = data[place] >> 5, _word(data, place + 2)[0]
    return length == size - (8 if version == 1 else 4) if version in (1, 2) else False


def _by_version(data: bytes, place: int) -> tuple[int, int]:
    version = data[place] >> 4
    if version not in (4, 6):
        raise Unknown("neither IPv4 nor IPv6")
    return IPV4 if version == 4 else IPV6, place


def _cooked(protocol: int) -> int:
    """The EtherType in a header of Linux' cooked captures; below 0x600 are numbers of its own."""
    if protocol == 4:  # 802.2 LLC
        return 0
    if protocol < 0x600:
        raise Unknown(f"Linux cooked protocol {protocol}")
    return protocol


def _ppp(data: bytes, place: int) -> tuple[int, int]:
    """From PPP's protocol field, which may be shortened to a byte (RFC 1661 section 6.5)."""
    if data[place] & 1:
        protocol, place = data[place], place + 1
    else:
        protocol, place = _word(data, place)[0], place + 2
    if protocol not in _PPP_KINDS:
        raise Unknown("PPP control packets" if protocol >= 0x8000 else f"PPP protocol 0x{protocol:04x}")
    return _PPP_KINDS[protocol], place


def _mpls(data: bytes, place: int) -> tuple[int, int]:
    """Behind the last label (RFC 3032 section 2.1), where nothing says what follows but its first bits."""
    for _ in range(_MOST_HEADERS):
        bottom = data[place + 2] & 1
        place += 4
        if bottom:
            break
    version = data[place] >> 4
    if version in (4, 6):
        return IPV4 if version == 4 else IPV6, place
    # An Ethernet frame, behind a control word where that is used (RFC 4448 section 4.6).
    return _ETHERNET_FRAME, place + 4 if version == 0 else place


def _llc(data: bytes, place: int) -> tuple[int, int]:
    """IEEE 802.2: SNAP (RFC 1042) or IP's own number."""
    if data[place : place + 3] == b"\xaa\xaa\x03":
        kind = _word(data, place + 6)[0]
        if data[place + 3 : place + 6] == b"\0\0\x0c":
            raise Unknown("protocols of Cisco (CDP, VTP, …)")
        if kind <= _LONGEST_8023:
            raise Unknown("802.2 LLC")
        return kind, place + 8
    if data[place : place + 3] == b"\x06\x06\x03":
        return IPV4, place + 3
    raise Unknown({b"BB": "spanning tree"}.get(data[place : place + 2], "802.2 LLC"))


def _gre(data: bytes, place: int) -> tuple[int, int]:
    """RFC 2784, RFC 2890; version 1 is PPTP's (RFC 2637 section 4.1)."""
    flags, kind = _word(data, place)[0], _word(data, place + 2)[0]
    version = flags & 7
    if version > 1 or flags & 0x4000 or kind in (0x88BE, 0x22EB):
        raise Unknown("ERSPAN" if kind in (0x88BE, 0x22EB) else "GRE with routing or of another version")
    place += 4 + 4 * sum(bool(flags & bit) for bit in (0x8000, 0x2000, 0x1000))
    if version == 0:
        return kind, place
    if flags & 0x80:
        place += 4
    if not flags & 0x1000:
        raise Unknown("PPTP acknowledgements")
    return _ppp(data, place + 2 if data[place : place + 2] == b"\xff\x03" else place)


def _nflog(data: bytes) -> tuple[int, int]:
    """Attributes of netfilter's log; their numbers are in the byte order of the machine that wrote them."""
    place = 4
    for _ in range(64):
        for order in "<>":
            length, kind = struct.unpack_from(order + "HH", data, place)
            if 4 <= length <= len(data) - place and kind & 0x7FFF < 64:
                break
        else:
            raise Unknown("NFLOG without a packet")
        if kind & 0x7FFF == _NFLOG_PAYLOAD:
            return _by_version(data, place + 4)
        place += length + 3 & ~3
    raise Unknown("NFLOG without a packet")
