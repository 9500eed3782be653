"""NAT-PMP, by which a router is asked for its public address and to pass a port on (RFC 6886): bytes in and out.

>>> read_reply(bytes.fromhex("0080 0000 00000001 cb007105"))
AddressReply(result=0, epoch=1, host='203.0.113.5')
"""

from __future__ import annotations

from struct import pack, unpack

from wirecat.immutable import Immutable

PORT = 5351

SUCCESS = 0
UNSUPPORTED_VERSION = 1
NOT_AUTHORIZED = 2
NETWORK_FAILURE = 3
RESULTS = {
    1: "this version of the protocol is not spoken",
    2: "not allowed: the function is switched off in the router",
    3: "the router has no public address itself",
    4: "the router has no room for another mapping",
    5: "this request is not known",
}
"""Result codes in words (RFC 6886 section 3.5)."""

ADDRESS_REQUEST = b"\0\0"
"""What asks for the router's public address (section 3.2)."""

_OPCODES = {"udp": 1, "tcp": 2}


class AddressReply(Immutable):
    """The router's public address. ``host`` is "" where it has none; ``epoch`` counts seconds since its start."""

    __slots__ = ("result", "epoch", "host")

    result: int
    epoch: int
    host: str

    def __init__(self, result: int, epoch: int, host: str) -> None:
        self._set(result=result, epoch=epoch, host=host)


class MappingReply(Immutable):
    """What the router mapped: the port it took, which may be another than was asked for, for ``lifetime`` seconds."""

    __slots__ = ("result", "epoch", "protocol", "internal_port", "external_port", "lifetime")

    result: int
    epoch: int
    protocol: str
    internal_port: int
    external_port: int
    lifetime: int

    def __init__(
        self, result: int, epoch: int, protocol: str, internal_port: int, external_port: int, lifetime: int
    ) -> None:
        self._set(
            result=result, epoch=epoch, protocol=protocol, internal_port=internal_port,
            external_port=external_port, lifetime=lifetime,
        )  # fmt: skip


def mapping_request(internal_port: int, external_port: int, lifetime: int, protocol: str = "tcp") -> bytes:
    """The request to map a port for ``lifetime`` seconds (section 3.3).

    With external port 0 and lifetime 0 it takes back all mappings of the internal port (section 3.4).
    """
    return pack(">BBHHHI", 0, _OPCODES[protocol], 0, internal_port, external_port, lifetime)


def read_reply(data: bytes) -> AddressReply | MappingReply:
    """The router's answer. Raises ValueError for what is none."""
    if len(data) < 4 or data[0] != 0 or data[1] < 128:
        raise ValueError("no NAT-PMP reply")
    opcode, result = data[1] - 128, int.from_bytes(data[2:4], "big")
    epoch = int.from_bytes(data[4:8], "big")
    if opcode == 0:
        if result == SUCCESS and len(data) < 12:
            raise ValueError("a NAT-PMP reply without an address")
        host = ".".join(map(str, data[8:12])) if len(data) >= 12 and any(data[8:12]) else ""
        return AddressReply(result, epoch, host)
    protocol = next((name for name, number in _OPCODES.items() if number == opcode), None)
    if protocol is None:
        raise ValueError(f"a NAT-PMP reply to request {opcode}")
    if len(data) < 16:
        if result == SUCCESS:
            raise ValueError("a NAT-PMP reply without a mapping")
        return MappingReply(result, epoch, protocol, 0, 0, 0)
    internal, external, lifetime = unpack(">HHI", data[8:16])
    return MappingReply(result, epoch, protocol, internal, external, lifetime)
