"""The kernel's trace of each packet in the calling thread's network (wire/nf_trace.py)."""

from __future__ import annotations

from wirecat.system.netlink_socket import NETLINK_NETFILTER, NetlinkSocket
from wirecat.wire import nf_tables, nf_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class PacketTrace:
    """The trace, switched on. Never in the machine's own network: it marks every packet, which costs time.

    Raises OSError where the kernel has no trace.
    """

    def __init__(self, devices: Iterable[str], *, bridge: bool) -> None:
        self._kernel = NetlinkSocket(NETLINK_NETFILTER, groups=(nf_trace.GROUP,))
        self._described: dict[int, nf_trace.Event] = {}
        self.switch_on(devices, bridge=bridge)

    def switch_on(self, devices: Iterable[str], *, bridge: bool) -> None:
        """Load its rules. Raises OSError where those of IP are refused; without the others it reports less."""
        first, *others = nf_trace.switch_on(devices, bridge=bridge)
        with NetlinkSocket(NETLINK_NETFILTER) as kernel:
            errors = kernel.send_batch(first)
            if errors:
                raise OSError(*next(iter(errors.values())))
            for batch in others:
                kernel.send_batch(batch)

    def fileno(self) -> int:
        """The descriptor, to wait for events."""
        return self._kernel.fileno()

    def events(self) -> list[nf_trace.Event]:
        """The events so far. Those of one packet in one hook have the same ``ports`` and ``neighbour``."""
        found = []
        for kind, body in self._kernel.notifications():
            if kind != nf_tables.SUBSYSTEM << 8 | nf_tables.TRACE:
                continue
            event = nf_trace.Event(body)
            if event.described:
                self._described[event.number] = event
            elif event.number in self._described:
                first = self._described[event.number]
                event.ports, event.neighbour = first.ports, first.neighbour
            found.append(event)
        return found

    def close(self) -> None:
        """Stop listening for events."""
        self._kernel.close()
