"""How each protocol maps a port and takes it back: PCP (RFC 6887), NAT-PMP (RFC 6886), pinholes of UPnP, UPnP's forwards.

Each ``map_by_…`` asks for ``wanted`` as the external port, and says what was granted.
Refusals are NotExposed; OSError and ValueError come from a router that does not answer, or not what it should.
"""

from __future__ import annotations

import os
import time

from wirecat.errors import NotExposed
from wirecat.port_mapping.exchange import ask_by_datagram
from wirecat.port_mapping.igd_client import Igd
from wirecat.port_mapping.mapping import NATPMP, PCP, PINHOLE, UPNP, Mapping
from wirecat.port_mapping.upnp_mapper import map_by_upnp, renew_by_upnp, unmap_by_upnp
from wirecat.wire import natpmp, pcp
from wirecat.wire.igd import IgdError, Service, read_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.deadline import Deadline
    from wirecat.port_mapping.journal import Journal


def map_by_pcp(asked: Mapping, wanted: int, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Map, or renew: the nonce makes it the same mapping. For an IPv6 host it is a pinhole."""
    nonce = bytes.fromhex(asked.nonce) or os.urandom(pcp.NONCE_BYTES)
    asked = _intend(asked.replace(nonce=nonce.hex()), wanted, lease, journal)
    question = pcp.map_request(
        asked.host, nonce, asked.port, external_port=wanted, external_host=asked.external_host, lifetime=lease
    )
    reply = _ask_pcp(asked, nonce, question, deadline)
    if reply.result != pcp.SUCCESS:
        raise NotExposed(pcp.RESULTS.get(reply.result, f"PCP result {reply.result}"), address=asked.gateway, step="PCP")
    _require_port(reply.external_port, reply.lifetime)
    return asked.replace(
        external_host=reply.host, external_port=reply.external_port, epoch=reply.epoch,
        lifetime=reply.lifetime, expires=time.time() + reply.lifetime,
    )  # fmt: skip


def _intend(asked: Mapping, wanted: int, lease: int, journal: Journal) -> Mapping:
    """Remember what is about to be asked for, before the router may have done it."""
    intent = asked.replace(external_port=wanted, lifetime=lease, expires=time.time() + lease)
    journal.keep(intent)
    return intent


def _require_port(port: int, lifetime: int) -> None:
    """Raise ValueError for a success that gives no port, or for no time."""
    if not port or not lifetime:
        raise ValueError(f"the router says that it mapped the port, and gives {'none' if not port else 'no time'}")


def unmap_by_pcp(mapping: Mapping, deadline: Deadline) -> None:
    """Take it back; one that is gone already is none."""
    nonce = bytes.fromhex(mapping.nonce)
    question = pcp.map_request(mapping.host, nonce, mapping.port, lifetime=0)
    reply = _ask_pcp(mapping, nonce, question, deadline)
    if reply.result != pcp.SUCCESS:
        raise NotExposed(
            pcp.RESULTS.get(reply.result, f"PCP result {reply.result}"), address=mapping.gateway, step="PCP"
        )


def _ask_pcp(mapping: Mapping, nonce: bytes, question: bytes, deadline: Deadline) -> pcp.PcpReply:
    def read(data: bytes) -> pcp.PcpReply | None:
        reply = pcp.read_reply(data)
        if reply.opcode != pcp.MAP or reply.nonce not in (nonce, b""):
            return None
        return reply if reply.nonce == b"" or reply.internal_port == mapping.port else None

    # From the very address that the mapping is for: the router looks at it (RFC 6887 section 8.1).
    reply = ask_by_datagram(mapping.gateway, pcp.PORT, question, read, deadline, mapping.host)
    if reply is None:
        raise TimeoutError("no answer to PCP")
    return reply


def map_by_natpmp(asked: Mapping, wanted: int, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Map, or renew: the router gives the same port again as long as it is asked for it."""
    asked = _intend(asked, wanted, lease, journal)
    reply = _ask_natpmp(asked, natpmp.mapping_request(asked.port, wanted, lease), deadline)
    if reply.result != natpmp.SUCCESS:
        words = natpmp.RESULTS.get(reply.result, f"NAT-PMP result {reply.result}")
        raise NotExposed(words, address=asked.gateway, step="NAT-PMP")
    _require_port(reply.external_port, reply.lifetime)

    def read(data: bytes) -> natpmp.AddressReply | None:
        answer = natpmp.read_reply(data)
        return answer if isinstance(answer, natpmp.AddressReply) else None

    try:
        address = ask_by_datagram(asked.gateway, natpmp.PORT, natpmp.ADDRESS_REQUEST, read, deadline, asked.host)
    except OSError:
        address = None  # it may be known otherwise
    return asked.replace(
        external_host=(address.host if address is not None else "") or asked.external_host,
        external_port=reply.external_port,
        epoch=reply.epoch, lifetime=reply.lifetime, expires=time.time() + reply.lifetime,
    )  # fmt: skip


def unmap_by_natpmp(mapping: Mapping, deadline: Deadline) -> None:
    """Take it back: all mappings of the inner port, of which there is one (RFC 6886 section 3.4)."""
    reply = _ask_natpmp(mapping, natpmp.mapping_request(mapping.port, 0, 0), deadline)
    if reply.result != natpmp.SUCCESS:
        words = natpmp.RESULTS.get(reply.result, f"NAT-PMP result {reply.result}")
        raise NotExposed(words, address=mapping.gateway, step="NAT-PMP")


def _ask_natpmp(mapping: Mapping, question: bytes, deadline: Deadline) -> natpmp.MappingReply:
    def read(data: bytes) -> natpmp.MappingReply | None:
        reply = natpmp.read_reply(data)
        if not isinstance(reply, natpmp.MappingReply) or reply.protocol != "tcp":
            return None
        return reply if reply.result or reply.internal_port == mapping.port else None

    reply = ask_by_datagram(mapping.gateway, natpmp.PORT, question, read, deadline, mapping.host)
    if reply is None:
        raise TimeoutError("no answer to NAT-PMP")
    return reply


def _pinhole_service(mapping: Mapping) -> tuple[Igd, Service]:
    control = read_url(mapping.control)
    service = Service(mapping.service, control)
    return Igd(control, "", [service], mapping.host, mapping.gateway.partition("%")[2]), service


def open_pinhole(asked: Mapping, wanted: int, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Let IPv6 in to ``asked.host``; asked for from that address, because a router gives it to nobody else (606)."""
    igd, service = _pinhole_service(asked)
    arguments = {
        "RemoteHost": "", "RemotePort": "0", "InternalClient": asked.host, "InternalPort": str(asked.port),
        "Protocol": "6", "LeaseTime": str(lease),
    }  # fmt: skip
    number = igd.call(service, "AddPinhole", arguments, deadline).value("UniqueID")
    if not number:
        raise ValueError(f"the router does not name the pinhole that it opened: it stays open for {lease} s")
    return asked.replace(
        external_host=asked.host, external_port=asked.port, pinhole=number, lifetime=lease, expires=time.time() + lease
    )


def renew_pinhole(mapping: Mapping, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Keep a pinhole open; one that a restarted router no longer knows is asked for anew."""
    igd, service = _pinhole_service(mapping)
    try:
        igd.call(service, "UpdatePinhole", {"UniqueID": mapping.pinhole, "NewLeaseTime": str(lease)}, deadline)
    except IgdError:
        return open_pinhole(mapping, mapping.port, lease, deadline, journal)
    return mapping.replace(lifetime=lease, expires=time.time() + lease)


def close_pinhole(mapping: Mapping, deadline: Deadline) -> None:
    """Take it back; one that is gone already (704) is none."""
    igd, service = _pinhole_service(mapping)
    try:
        igd.call(service, "DeletePinhole", {"UniqueID": mapping.pinhole}, deadline)
    except IgdError as error:
        if error.code != 704:
            raise


def renew_by_protocol(mapping: Mapping, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Map by PCP or NAT-PMP once more what is mapped, for another ``lease`` seconds.

    A pinhole of PCP is taken back and asked for anew: miniupnpd 2.3.1 forgets whose a renewed one is, and then does not
    take it back before its lease ends. A connection that is refused meanwhile tries again.
    """
    if mapping.family == "ipv6":
        try:
            unmap_port(mapping, deadline)
        except (OSError, ValueError):
            pass  # it is as good as new already, or the next question fails as well, and says why
    return map_port(mapping, mapping.external_port, lease, deadline, journal)


_MAP = {PCP: map_by_pcp, NATPMP: map_by_natpmp, UPNP: map_by_upnp, PINHOLE: open_pinhole}
_RENEW = {PCP: renew_by_protocol, NATPMP: renew_by_protocol, UPNP: renew_by_upnp, PINHOLE: renew_pinhole}
_UNMAP = {PCP: unmap_by_pcp, NATPMP: unmap_by_natpmp, UPNP: unmap_by_upnp, PINHOLE: close_pinhole}


def map_port(asked: Mapping, wanted: int, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Map by the protocol that ``asked`` names; ``journal`` gets what may stand then, before the router is asked."""
    return _MAP[asked.protocol](asked, wanted, lease, deadline, journal)


def renew_port(mapping: Mapping, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Keep a mapping for another ``lease`` seconds; a restarted router is asked for it anew."""
    return _RENEW[mapping.protocol](mapping, lease, deadline, journal)


def unmap_port(mapping: Mapping, deadline: Deadline) -> None:
    """Take a mapping back by its protocol, if it is still ours; one that is gone is none."""
    _UNMAP[mapping.protocol](mapping, deadline)
