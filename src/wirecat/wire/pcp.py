"""PCP, the Port Control Protocol (RFC 6887), which follows NAT-PMP and knows IPv6: bytes in and out.

>>> request = map_request("192.168.1.7", b"n" * 12, 12345, lifetime=120)
>>> len(request), request[0], request[1]
(60, 2, 1)
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from struct import Struct

from wirecat.immutable import Immutable

PORT = 5351
VERSION = 2
ANNOUNCE, MAP = 0, 1
SUCCESS = 0
NOT_AUTHORIZED = 2
NETWORK_FAILURE = 7
NO_RESOURCES = 8
CANNOT_PROVIDE_EXTERNAL = 11
RESULTS = {
    1: "this version of the protocol is not spoken",
    2: "not allowed",
    3: "the router calls the request malformed",
    4: "this request is not known",
    5: "an option is not known",
    6: "the router calls an option malformed",
    7: "the router has no public address itself",
    8: "the router has no room for another mapping, or no public address itself",
    9: "this protocol cannot be mapped",
    10: "this PC has as many mappings as the router allows it",
    11: "the port asked for is taken",
    12: "there is another address translator between this PC and the router",
    13: "too many peers are asked for",
}
"""Result codes in words (RFC 6887 section 7.4)."""

NONCE_BYTES = 12
_LONGEST = 1100  # bytes of a message (section 7)
_REQUEST = Struct(">BBHI16s")  # version, opcode, reserved, lifetime, the client's address
_REPLY = Struct(">BBBBII12x")  # version, opcode, reserved, result, lifetime, epoch
_MAPPING = Struct(">12sB3xHH16s")  # nonce, protocol, internal port, external port, external address
_PROTOCOLS = {"tcp": 6, "udp": 17}
_MAPPED = bytes(10) + b"\xff\xff"  # before an IPv4 address (RFC 4291 section 2.5.5.2)


class PcpReply(Immutable):
    """A reply. ``lifetime`` is in seconds: that of the mapping, or of the refusal; ``epoch`` the router's clock.

    What follows ``epoch`` is of a reply to MAP only, else empty: ``host`` is the external address, "" for none.
    """

    __slots__ = ("opcode", "result", "lifetime", "epoch", "nonce", "protocol", "internal_port", "external_port", "host")

    opcode: int
    result: int
    lifetime: int
    epoch: int
    nonce: bytes
    protocol: int
    internal_port: int
    external_port: int
    host: str

    def __init__(
        self,
        opcode: int,
        result: int,
        lifetime: int,
        epoch: int,
        nonce: bytes = b"",
        protocol: int = 0,
        internal_port: int = 0,
        external_port: int = 0,
        host: str = "",
    ) -> None:
        self._set(
            opcode=opcode, result=result, lifetime=lifetime, epoch=epoch, nonce=nonce, protocol=protocol,
            internal_port=internal_port, external_port=external_port, host=host,
        )  # fmt: skip


def announce_request(client: str) -> bytes:
    """The request that changes nothing and tells whether PCP is spoken (section 14.1)."""
    return _REQUEST.pack(VERSION, ANNOUNCE, 0, 0, _address(client))


def map_request(
    client: str,
    nonce: bytes,
    internal_port: int,
    *,
    external_port: int = 0,
    external_host: str = "",
    lifetime: int,
    protocol: str = "tcp",
) -> bytes:
    """The request to map a port (section 11.1); with ``lifetime`` 0 to take the mapping of this ``nonce`` back.

    ``client`` is the address that the request is sent from. External port and address are only wished for. Raises
    OSError for a host that is no address.
    """
    anywhere = "0.0.0.0" if ":" not in client else "::"
    return _REQUEST.pack(VERSION, MAP, 0, lifetime, _address(client)) + _MAPPING.pack(
        nonce, _PROTOCOLS[protocol], internal_port, external_port, _address(external_host or anywhere)
    )


def read_reply(data: bytes) -> PcpReply:
    """The router's answer. Raises ValueError for what is none, a reply in another version included."""
    if len(data) < _REPLY.size or len(data) > _LONGEST or data[0] != VERSION or data[1] < 128:
        raise ValueError("no PCP reply")
    _, opcode, _, result, lifetime, epoch = _REPLY.unpack_from(data)
    opcode -= 128
    if opcode != MAP:
        return PcpReply(opcode, result, lifetime, epoch)
    if len(data) < _REPLY.size + _MAPPING.size:
        if result == SUCCESS:
            raise ValueError("a PCP reply without a mapping")
        return PcpReply(opcode, result, lifetime, epoch)
    nonce, protocol, internal, external, raw = _MAPPING.unpack_from(data, _REPLY.size)
    return PcpReply(opcode, result, lifetime, epoch, nonce, protocol, internal, external, _host(raw))


def _address(host: str) -> bytes:
    """Sixteen bytes; an IPv4 address is mapped into IPv6 (section 5)."""
    return inet_pton(AF_INET6, host) if ":" in host else _MAPPED + inet_pton(AF_INET, host)


def _host(raw: bytes) -> str:
    if raw[:12] == _MAPPED:
        return inet_ntop(AF_INET, raw[12:]) if any(raw[12:]) else ""
    return inet_ntop(AF_INET6, raw) if any(raw) else ""
