"""Connections tried in a twin network: listeners like the machine's own, a client, and what the kernel reports of the packets."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time

from wirecat.system.kernel_file import read_kernel_file
from wirecat.system.namespaces import enter_network
from wirecat.system.network_state import read_table
from wirecat.system.processes import file_group
from wirecat.system.xtables import TableSocket
from wirecat.wire import xtables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.system.netlink_listeners import Listener
    from wirecat.system.network_state import NetworkState
    from wirecat.system.packet_trace import PacketTrace
    from wirecat.system.twin_network import TwinNetwork
    from wirecat.wire.nf_trace import Event
    from wirecat.wire.rtnetlink import Link

_SO_BINDTODEVICE, _SO_MARK, _SO_REUSEPORT, _IP_FREEBIND, _IPV6_FREEBIND = 25, 36, 15, 15, 78
_TICK = 0.02
_SETTLE = 0.15  # what follows a refusal or a lost neighbour: the last events
_RESET = struct.pack("ii", 1, 0)  # close with a reset: no state is left for the next attempt

ARRIVED, ANSWERED, REFUSED, UNREACHABLE, SILENT = "arrived", "answered", "refused", "unreachable", "silent"
"""How an attempt ends: at the listener; by something else; by a reset; by an error of ICMP; by nothing."""


class Attempt:
    """One connection that was tried, and how it ended (``result``).

    ``source`` is the client's address, ``comes_by`` the index of the interface it comes by. ``stop`` is the event of the rule or
    policy that dropped a packet of it, ``stop_entry`` the same of iptables-legacy, as (table, entry). ``neighbour`` says that the
    packet was one of ARP or neighbor discovery, ``answer`` that it was the server's answer. ``seen`` are the hooks that the packets
    came to, "in …", "out …" and "ask …" (ARP, neighbor discovery). ``leaves_by`` is the index of the interface that the answer left
    by, 0 for none. ``filtered_source`` says that the kernel refused the client's address (rp_filter).
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.result = SILENT
        self.stop: Event | None = None
        self.stop_entry: tuple[xtables.Table, xtables.Entry] | None = None
        self.neighbour = False
        self.answer = False
        self.seen: list[str] = []
        self.events: list[Event] = []
        self.comes_by = 0
        self.leaves_by = 0
        self.filtered_source = False

    @property
    def is_ignored(self) -> bool:
        """Whether the twin was asked for its hardware address by ARP and did not answer."""
        return "ask arp-input" in self.seen and "ask arp-output" not in self.seen

    @property
    def is_explained(self) -> bool:
        """Whether the kernel told what became of it."""
        return (
            self.result in (ARRIVED, REFUSED)
            or self.stop is not None
            or self.stop_entry is not None
            or self.filtered_source
            or self.is_ignored
            or self.leaves_by not in (0, self.comes_by)
        )


def open_listeners(state: NetworkState, port: int, pids: dict[int, int]) -> tuple[list[socket.socket], bool]:
    """Listeners like the machine's on ``port``, in the calling thread's network, and whether their users and groups are known.

    ``pids`` has the process of each inode. Where the machine has no listener, one takes all addresses. Raises OSError.
    """
    made, known = [], True
    for listener in state.listeners:
        group = file_group(pids[listener.inode]) if listener.inode in pids else None
        known = known and group is not None
        link = state.links.get(listener.device)
        try:
            made.append(_open(listener, group, "" if link is None else link.name))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not made:
                raise
    if not state.listeners:
        made.append(socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True))
    for one in made:
        one.setblocking(False)
    return made, known


def _open(listener: Listener, group: int | None, device: str) -> socket.socket:
    """Like the original: rules may ask for its user and its group, its mark and its device."""
    own_user, own_group = os.geteuid(), os.getegid()
    try:
        if group is not None:
            os.setegid(group)
        os.seteuid(listener.uid)
        made = socket.socket(listener.family, socket.SOCK_STREAM)
    finally:
        os.seteuid(own_user)
        os.setegid(own_group)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
    made.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    if listener.family != socket.AF_INET:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, listener.only_ipv6)
    if listener.mark:
        made.setsockopt(socket.SOL_SOCKET, _SO_MARK, listener.mark)
    if device:
        made.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, device.encode() + b"\0")
    host = socket.inet_ntop(listener.family, listener.address)
    if listener.family == socket.AF_INET:
        made.bind((host, listener.port))
    else:
        made.bind((host, listener.port, 0, listener.device))
    made.listen(16)
    return made


class Trial:
    """What connections are tried with: the twin, its listeners, and the trace (None where the kernel has none)."""

    def __init__(self, twin: TwinNetwork, listeners: list[socket.socket], trace: PacketTrace | None) -> None:
        self.twin = twin
        self.listeners = listeners
        self.trace = trace

    def connect(self, link: Link, clients: int, source: str, destination: str, port: int, seconds: float) -> Attempt:
        """Try a connection that comes by ``link``, from ``source``, an address in the network ``clients``.

        The calling thread is in the twin before and after. Raises OSError.
        """
        attempt = Attempt(source)
        attempt.comes_by = link.index
        self.twin.forget_neighbours(clients)
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        if self.trace is not None:
            self.trace.events()  # what is left of the attempt before
        counted = self._count()
        refused_sources = _refused_sources()
        enter_network(clients)
        try:
            client = socket.socket(family, socket.SOCK_STREAM)
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.bind((source, 0))
            started = client.connect_ex((destination, port))
        finally:
            enter_network(self.twin.network)
        with client:
            own = client.getsockname()[1]
            if started in (0, errno.EINPROGRESS):
                self._watch(attempt, client, (own, port), counted, time.monotonic() + seconds)
            else:
                attempt.result = UNREACHABLE
        attempt.filtered_source = _refused_sources() > refused_sources
        return attempt

    def close(self) -> None:
        """Close the listeners and the trace."""
        for listener in self.listeners:
            listener.close()
        if self.trace is not None:
            self.trace.close()

    def _watch(self, attempt: Attempt, client: socket.socket, ports: tuple[int, int],
               counted: dict[tuple[str, str], list[int]], deadline: float) -> None:  # fmt: skip
        refused = _refused_sources()
        poll = select.poll()
        poll.register(client, select.POLLOUT)
        for listener in self.listeners:
            poll.register(listener, select.POLLIN)
        if self.trace is not None:
            poll.register(self.trace, select.POLLIN)
        answered = False
        accepted: list[socket.socket] = []
        while attempt.result != ARRIVED:
            ready = dict(poll.poll(max(min(_TICK, deadline - time.monotonic()), 0) * 1000))
            if client.fileno() in ready and not answered:
                answered = True
                poll.modify(client, select.POLLIN)
                code = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                attempt.result = ANSWERED if not code else REFUSED if code == errno.ECONNREFUSED else UNREACHABLE
                deadline = min(deadline, time.monotonic() + _SETTLE)
            if attempt.result == ANSWERED:
                self._accept(ports[0], accepted)
                if accepted and self._is_greeted(client):
                    attempt.result = ARRIVED
            self._read_trace(attempt, ports)
            if attempt.result != ARRIVED:
                self._read_entries(attempt, counted)
            if (attempt.stop is not None or attempt.stop_entry is not None) and (answered or not attempt.neighbour):
                break
            unanswered = "in input" in attempt.seen and "out output" not in attempt.seen
            lost = (
                attempt.neighbour
                or attempt.is_ignored
                or unanswered
                or "in forward" in attempt.seen
                or _refused_sources() > refused
            )
            if lost or attempt.leaves_by not in (0, attempt.comes_by):
                deadline = min(deadline, time.monotonic() + _SETTLE)
            if time.monotonic() >= deadline:
                break
        self._read_trace(attempt, ports)
        for connection in accepted:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.close()

    def _accept(self, port: int, accepted: list[socket.socket]) -> None:
        """Accept the connection from the client's ``port`` and send a byte, as a server does; close those of earlier attempts."""
        for listener in self.listeners:
            while True:
                try:
                    connection, peer = listener.accept()
                except OSError:
                    break  # nothing waits
                if peer[1] == port:
                    connection.setblocking(False)
                    connection.send(b"\n")
                    accepted.append(connection)
                else:
                    connection.close()

    def _is_greeted(self, client: socket.socket) -> bool:
        try:
            return bool(client.recv(1))
        except OSError:
            return False  # not yet

    def _read_trace(self, attempt: Attempt, ports: tuple[int, int]) -> None:
        if self.trace is None:
            return
        for event in self.trace.events():
            inbound = event.ports is not None and event.ports[0] == ports[0]
            # The destination port of an answer is the client's; its source port is another where a rule redirects.
            outbound = event.ports is not None and event.ports[1] == ports[0]
            if not (inbound or outbound or event.neighbour):
                continue
            attempt.events.append(event)
            if event.is_own:
                attempt.seen.append(f"{'in' if inbound else 'out' if outbound else 'ask'} {event.chain}")
                if outbound and event.interface:
                    attempt.leaves_by = event.interface
            elif event.dropped and attempt.stop is None and attempt.result != ARRIVED:
                attempt.stop, attempt.neighbour, attempt.answer = event, event.neighbour, outbound

    def _count(self) -> dict[tuple[str, str], list[int]]:
        """The packets that each entry of iptables-legacy has counted, by (kind, table)."""
        found = {}
        for probed in self.twin.rules.tables:
            kind = probed.table.kind
            with TableSocket(kind.name) as kernel:
                table = read_table(kernel, kind, probed.table.name)
            found[(kind.name, table.name)] = [packets for _, packets in xtables.count_packets(table)]
        return found

    def _read_entries(self, attempt: Attempt, counted: dict[tuple[str, str], list[int]]) -> None:
        if attempt.stop_entry is not None or not counted:
            return
        now = self._count()
        for probed in self.twin.rules.tables:
            table = probed.table
            before, after = counted[(table.kind.name, table.name)], now[(table.kind.name, table.name)]
            for place, entry in enumerate(probed.origins):
                if after[place] > before[place] and place not in probed.concerns and xtables.is_stop(entry):
                    attempt.stop_entry = (table, entry)
                    attempt.answer = entry.chain in ("OUTPUT", "POSTROUTING") or (
                        not entry.chain.isupper()
                        and "in input" in attempt.seen
                        and "out postrouting" not in attempt.seen
                    )
                    return


def _refused_sources() -> int:
    """How many packets this network's rp_filter has dropped."""
    try:
        lines = read_kernel_file("/proc/thread-self/net/netstat").decode("ascii").splitlines()
    except OSError:
        return 0
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        if names.startswith("TcpExt:") and "IPReversePathFilter" in names:
            return int(values.split()[names.split().index("IPReversePathFilter")])
    return 0
