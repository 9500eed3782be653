"""How each protocol maps a port and takes it back: PCP (RFC 6887), NAT-PMP (RFC 6886), UPnP's gateway device.

Each ``map_by_…`` asks for ``wanted`` as the outer port, renews the mapping it is given, and says what was granted.
Refusals are NotExposed; OSError and ValueError come from a router that does not answer, or not what it should.
"""

from __future__ import annotations

import os
import time

from wirecat.errors import NotExposed
from wirecat.reach.exchange import ask_by_datagram
from wirecat.reach.igd_client import Igd
from wirecat.reach.mapping import NATPMP, PCP, PINHOLE, UPNP, Mapping
from wirecat.wire import natpmp, pcp
from wirecat.wire.igd import (
    CONFLICT,
    NO_SUCH_ENTRY,
    IgdError,
    Service,
    read_url,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.deadline import Deadline

# Ports that are tried where a router of version 1 says that the one asked for is taken.
_MORE_PORTS = 8
DESCRIPTION = "wirecat"


def map_by_pcp(asked: Mapping, wanted: int, lease: int, deadline: Deadline) -> Mapping:
    """Map, or renew: the nonce makes it the same mapping. For an IPv6 host it is a pinhole."""
    nonce = bytes.fromhex(asked.nonce) or os.urandom(pcp.NONCE_BYTES)
    question = pcp.map_request(
        asked.host, nonce, asked.port, external_port=wanted, external_host=asked.external_host, lifetime=lease
    )
    reply = _ask_pcp(asked, nonce, question, deadline)
    if reply.result != pcp.SUCCESS or not reply.lifetime:
        raise NotExposed(pcp.RESULTS.get(reply.result, f"PCP result {reply.result}"), address=asked.gateway, step="PCP")
    _require_port(reply.external_port)
    return asked.replace(
        external_host=reply.host, external_port=reply.external_port, nonce=nonce.hex(), epoch=reply.epoch,
        lifetime=reply.lifetime, expires=time.time() + reply.lifetime,
    )  # fmt: skip


def _require_port(port: int) -> None:
    """Raise ValueError for a success that gives no port."""
    if not port:
        raise ValueError("the router says that it mapped the port, and gives none")


def unmap_by_pcp(mapping: Mapping, deadline: Deadline) -> None:
    """Take it back; one that is gone already is none."""
    nonce = bytes.fromhex(mapping.nonce)
    question = pcp.map_request(mapping.host, nonce, mapping.port, lifetime=0)
    reply = _ask_pcp(mapping, nonce, question, deadline)
    if reply.result == pcp.NOT_AUTHORIZED:
        raise NotExposed(pcp.RESULTS[reply.result], address=mapping.gateway, step="PCP")


def _ask_pcp(mapping: Mapping, nonce: bytes, question: bytes, deadline: Deadline) -> pcp.PcpReply:
    def read(data: bytes) -> pcp.PcpReply | None:
        reply = pcp.read_reply(data)
        return reply if reply.opcode == pcp.MAP and reply.nonce in (nonce, b"") else None

    # From the very address that the mapping is for: the router looks at it (RFC 6887 section 8.1).
    reply = ask_by_datagram(mapping.gateway, pcp.PORT, question, read, deadline, mapping.host)
    if reply is None:
        raise TimeoutError("no answer to PCP")
    return reply


def map_by_natpmp(asked: Mapping, wanted: int, lease: int, deadline: Deadline) -> Mapping:
    """Map, or renew: the router gives the same port again as long as it is asked for it."""
    reply = _ask_natpmp(asked, natpmp.mapping_request(asked.port, wanted, lease), deadline)
    if reply.result != natpmp.SUCCESS or not reply.lifetime:
        words = natpmp.RESULTS.get(reply.result, f"NAT-PMP result {reply.result}")
        raise NotExposed(words, address=asked.gateway, step="NAT-PMP")
    _require_port(reply.external_port)

    def read(data: bytes) -> natpmp.AddressReply | None:
        answer = natpmp.read_reply(data)
        return answer if isinstance(answer, natpmp.AddressReply) else None

    address = ask_by_datagram(asked.gateway, natpmp.PORT, natpmp.ADDRESS_REQUEST, read, deadline, asked.host)
    return asked.replace(
        external_host=address.host if address is not None else asked.external_host, external_port=reply.external_port,
        epoch=reply.epoch, lifetime=reply.lifetime, expires=time.time() + reply.lifetime,
    )  # fmt: skip


def unmap_by_natpmp(mapping: Mapping, deadline: Deadline) -> None:
    """Take it back: all mappings of the inner port, of which there is one (RFC 6886 section 3.4)."""
    reply = _ask_natpmp(mapping, natpmp.mapping_request(mapping.port, 0, 0), deadline)
    if reply.result == natpmp.NOT_AUTHORIZED:
        raise NotExposed(natpmp.RESULTS[reply.result], address=mapping.gateway, step="NAT-PMP")


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


def _igd_of(mapping: Mapping) -> tuple[Igd, Service]:
    control = read_url(mapping.control)
    service = Service(mapping.service, control)
    scope = mapping.gateway.partition("%")[2] if mapping.protocol == PINHOLE else ""
    return Igd(control, "", [service], mapping.host, scope), service


def map_by_upnp(asked: Mapping, wanted: int, lease: int, deadline: Deadline) -> Mapping:
    """Map, or renew. Where the port is another's, version 2 gives a free one, and of version 1 others are asked for.

    ``lease`` 0 asks for one without an end. Raises IgdError with PERMANENT_LEASES_ONLY where the router knows no other.
    """
    igd, service = _igd_of(asked)
    arguments = {
        "NewRemoteHost": "", "NewExternalPort": str(wanted), "NewProtocol": "TCP", "NewInternalPort": str(asked.port),
        "NewInternalClient": asked.host, "NewEnabled": "1",
        "NewPortMappingDescription": f"{DESCRIPTION} {asked.port}", "NewLeaseDuration": str(lease),
    }  # fmt: skip
    external = wanted
    if service.version > 1 and not asked.external_port:
        answer = igd.call(service, "AddAnyPortMapping", arguments, deadline)
        granted = answer.get("NewReservedPort", "")
        if not (granted.isascii() and granted.isdigit() and 0 < int(granted[:6]) < 65536):
            raise ValueError(f"the router names a port that is none: {granted[:20]!r}")
        external = int(granted)
    else:
        external = _add_port_mapping(igd, service, arguments, wanted, deadline)
    host = igd.call(service, "GetExternalIPAddress", {}, deadline).get("NewExternalIPAddress", "")
    expires = time.time() + lease if lease else 0.0
    return asked.replace(external_host=host, external_port=external, lifetime=lease, expires=expires)


def _add_port_mapping(igd: Igd, service: Service, arguments: dict[str, str], wanted: int, deadline: Deadline) -> int:
    for more in range(_MORE_PORTS):
        port = wanted + more if wanted + more < 65536 else 1024 + more
        try:
            igd.call(service, "AddPortMapping", {**arguments, "NewExternalPort": str(port)}, deadline)
        except IgdError as error:
            if error.code != CONFLICT:
                raise
        else:
            return port
    raise NotExposed(f"port {wanted} and the next {_MORE_PORTS - 1} are taken by others", step="UPnP")


def unmap_by_upnp(mapping: Mapping, deadline: Deadline) -> None:
    """Take it back; one that is gone already is none."""
    igd, service = _igd_of(mapping)
    arguments = {"NewRemoteHost": "", "NewExternalPort": str(mapping.external_port), "NewProtocol": "TCP"}
    try:
        igd.call(service, "DeletePortMapping", arguments, deadline)
    except IgdError as error:
        if error.code != NO_SUCH_ENTRY:
            raise


def open_pinhole(asked: Mapping, wanted: int, lease: int, deadline: Deadline) -> Mapping:
    """Let IPv6 in to ``asked.host``; asked for from that address, because a router gives it to nobody else (606)."""
    igd, service = _igd_of(asked)
    if asked.pinhole:
        igd.call(service, "UpdatePinhole", {"UniqueID": asked.pinhole, "NewLeaseTime": str(lease)}, deadline)
        number = asked.pinhole
    else:
        arguments = {
            "RemoteHost": "", "RemotePort": "0", "InternalClient": asked.host, "InternalPort": str(asked.port),
            "Protocol": "6", "LeaseTime": str(lease),
        }  # fmt: skip
        number = igd.call(service, "AddPinhole", arguments, deadline).get("UniqueID", "")
    return asked.replace(
        external_host=asked.host, external_port=asked.port, pinhole=number, lifetime=lease, expires=time.time() + lease
    )


def close_pinhole(mapping: Mapping, deadline: Deadline) -> None:
    """Take it back; one that is gone already (704) is none."""
    igd, service = _igd_of(mapping)
    try:
        igd.call(service, "DeletePinhole", {"UniqueID": mapping.pinhole}, deadline)
    except IgdError as error:
        if error.code != 704:
            raise


_MAP = {PCP: map_by_pcp, NATPMP: map_by_natpmp, UPNP: map_by_upnp, PINHOLE: open_pinhole}
_UNMAP = {PCP: unmap_by_pcp, NATPMP: unmap_by_natpmp, UPNP: unmap_by_upnp, PINHOLE: close_pinhole}


def map_port(asked: Mapping, wanted: int, lease: int, deadline: Deadline) -> Mapping:
    """Map or renew by the protocol that ``asked`` names."""
    return _MAP[asked.protocol](asked, wanted, lease, deadline)


def renew_port(mapping: Mapping, lease: int, deadline: Deadline) -> Mapping:
    """Map once more what is mapped, for another ``lease`` seconds.

    A pinhole of PCP is taken back and asked for anew: miniupnpd 2.3.1 forgets whose a renewed one is, and then does not
    take it back before its lease ends. Nobody notices: a connection that is refused a way in meanwhile tries again.
    """
    if mapping.protocol == PCP and mapping.family == "ipv6":
        try:
            unmap_port(mapping, deadline)
        except (OSError, ValueError):
            pass  # it is as good as new already, or the next question fails as well, and says why
    return map_port(mapping, mapping.external_port, lease, deadline)


def unmap_port(mapping: Mapping, deadline: Deadline) -> None:
    """Take a mapping back by its protocol."""
    _UNMAP[mapping.protocol](mapping, deadline)
