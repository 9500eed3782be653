"""Connections in a capture by others: which packet belongs to which, and who is the client.

Connections are told apart as Wireshark does. A SYN with another sequence number on the same ports is a connection of its
own, also where the SYN of the one before was not captured; one with the same number is a repeat, though a RST came in
between (some systems try again after a refusal). Of several SYN+ACKs the last counts. Two SYNs that cross open one
connection (RFC 9293 section 3.5, simultaneous open).
"""

from __future__ import annotations

from collections import deque
from socket import AF_INET, AF_INET6, inet_ntop

from wirecat.address import Address
from wirecat.recording.captured_flow import CapturedConnection
from wirecat.recording.model import CLIENT, REFUSED, SERVER, UNANSWERED, Chunk, Mark, RecordedConnection, Side
from wirecat.wire.packet import key_of
from wirecat.wire.reassembly import Memory
from wirecat.wire.segment import ACK, RST, SYN, TCP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.recording.captured_flow import CapturedFlow, Entry
    from wirecat.wire.packet import Transported

MOST_WAITING = 1 << 24  # bytes behind holes, of all connections together


class CapturedConnections:
    """Gives each packet to its connection. ``on_connection`` is called once for each new one, and numbers it."""

    def __init__(self, file: int, on_connection: Callable[[RecordedConnection, str], RecordedConnection]) -> None:
        self._file = file
        self._on_connection = on_connection
        self._memory = Memory()
        self._flows: dict[bytes, CapturedFlow] = {}
        self._datagrams: dict[bytes, CapturedFlow] = {}
        self._all: list[CapturedConnection] = []
        self._waiting: deque[CapturedFlow] = deque()  # in the order in which they began to wait

    def take(self, found: Transported, time_ns: int, out: list[Entry]) -> None:
        """The next packet; what it brings is appended to ``out``."""
        if found.protocol != TCP:
            self._datagram(found, time_ns, out)
            return
        flow = self._flows.get(found.key)
        if flow is None or found.flags & SYN:
            flow = self._flow_for(flow, found, time_ns, out)
            if flow is None:
                return
        flow.segment(found, time_ns, out)
        if flow.stream.waiting:
            self._bound(flow, out)

    def _bound(self, flow: CapturedFlow, out: list[Entry]) -> None:
        """Where too much waits behind holes, give up those of the connection that has waited longest."""
        if not flow.waits:
            flow.waits = True
            self._waiting.append(flow)
        while self._memory.waiting > MOST_WAITING and self._waiting:
            oldest = self._waiting.popleft()
            oldest.waits = False
            oldest.flush(out)

    def finish(self, out: list[Entry]) -> None:
        """The capture has ended."""
        for connection in self._all:
            record = connection.record
            for flow in connection.flows.values():
                flow.flush(out)
            if record.outcome == UNANSWERED:
                out.append(Mark(record.id, record.last_ns, "unanswered", CLIENT, facts={"attempts": record.attempts}))

    def _flow_for(
        self, flow: CapturedFlow | None, found: Transported, time_ns: int, out: list[Entry]
    ) -> CapturedFlow | None:
        """The direction that a SYN, or the first packet of a connection, belongs to; None for a reset of nothing."""
        if flow is None:
            if found.flags & RST and not found.payload:
                return None
        elif flow.isn is None:
            # A SYN behind data, the SYN of the connection before not having been captured.
            if flow.stream.expected is None:
                return flow
        elif flow.isn == found.sequence:
            if flow.connection.record.closed_ns is not None and flow.connection.record.reason in (REFUSED, "reset"):
                flow.connection.revive()
                flow.connection.record.outcome = UNANSWERED
            return flow
        elif found.flags & ACK and not flow.stream.place and not flow.stream.waiting:
            return flow  # another answer to the same SYN
        return self._new(found, time_ns, self._flows, out)

    def _new(
        self, found: Transported, time_ns: int, flows: dict[bytes, CapturedFlow], out: list[Entry]
    ) -> CapturedFlow:
        """A connection begins. The handshake shows who is the client; without it that is a guess."""
        source, target = found.source, found.target
        protocol = "tcp" if found.protocol == TCP else "udp"
        begins = protocol == "tcp" and bool(found.flags & SYN)
        if begins:
            from_server = bool(found.flags & ACK)
        else:
            from_server = protocol == "tcp" and source[1] < target[1]  # most servers have the lower port
        client, server = (target, source) if from_server else (source, target)
        record = RecordedConnection(
            id=0, protocol=protocol, kind="captured", client=Side(_address(protocol, client)),
            server=Side(_address(protocol, server)), opened_ns=time_ns, last_ns=time_ns, guessed=not begins,
            joined=protocol == "tcp" and not begins, file=self._file,
            outcome=UNANSWERED if begins and not from_server else "",
        )  # fmt: skip
        connection = CapturedConnection(self._on_connection(record, ""), self._memory)
        self._all.append(connection)
        flows[key_of(client, server)] = connection.flows[CLIENT]
        flows[key_of(server, client)] = connection.flows[SERVER]
        if not begins:
            connection.settled = True
            connection.open(time_ns, out)
        return connection.flows[SERVER if from_server else CLIENT]

    def _datagram(self, found: Transported, time_ns: int, out: list[Entry]) -> None:
        flow = self._datagrams.get(found.key) or self._new(found, time_ns, self._datagrams, out)
        record, side = flow.connection.record, flow.side
        record.last_ns = max(record.last_ns, time_ns)
        side.data += len(found.payload)
        side.chunks += 1
        side.missing += found.missing
        out.append(Chunk(record.id, time_ns, flow.sender, found.payload, found.missing))


def _address(protocol: str, end: tuple[bytes, int]) -> Address:
    return Address(protocol, inet_ntop(AF_INET6 if len(end[0]) == 16 else AF_INET, end[0]), end[1])
