"""The one door to this machine's socket table, whatever the system: who listens, who is connected.

Linux is read through netlink, and through /proc where that is refused; Windows through its own table; any
other system through psutil, the extra ``[sockets]``. Finding the processes costs as much as the rest, so it
can be left out.
"""

from __future__ import annotations

import os
import sys

from wirecat.errors import NetworkError, WirecatError
from wirecat.system.socket_row import SocketRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

PROTOCOLS = ("tcp", "udp")
_FAMILIES = ("ipv4", "ipv6")
_WILDCARDS = ("0.0.0.0", "::")

_CHANGED = "the socket table changed while it was read: a socket may be missing or shown twice"


class SocketTable:
    """What was read: ``rows``, in the system's order; ``notes``, a line for each thing not seen."""

    __slots__ = ("notes", "rows")

    def __init__(self, rows: list[SocketRow], notes: list[str]) -> None:
        self.rows = rows
        self.notes = notes


def read_socket_table(
    *,
    protocols: Collection[str] = PROTOCOLS,
    states: Collection[str] | None = None,
    listening: bool = False,
    port: int | None = None,
    processes: bool = True,
) -> SocketTable:
    """Read the TCP and UDP sockets of this machine (on Linux: of this network namespace), IPv4 and IPv6.

    ``states`` (names as in SocketRow) and ``listening`` (TCP listeners and UDP sockets without a peer)
    choose; both together choose what is either. ``port`` is the local or the remote one. ``processes=False``
    leaves pid and process None where they cost. Raises WirecatError where the system lets nobody read its
    table, and UsageError where psutil is needed and missing.
    """
    wanted: set[str] | None = None
    if states is not None or listening:
        wanted = {*(states or ()), *(("LISTEN", "UNCONNECTED") if listening else ())}
    rows, notes = _read_rows(protocols, wanted)
    rows = [
        row
        for row in rows
        if row.protocol in protocols
        and (wanted is None or row.state in wanted or (listening and row.is_listening))
        and (port is None or row.local_port == port or row.remote_port == port)
    ]
    if processes:
        notes += _fill_in_processes(rows)
    return SocketTable(rows, notes)


def find_listener(port: int, *, host: str = "", protocol: str = "tcp") -> SocketRow | None:
    """Who has this port, for the error that says it is taken: a listener, else any socket that holds it.

    ``host`` is the literal that could not be bound ("" for any): a socket on another address is not in its
    way. Never raises: None where nobody has the port, or where the table cannot be read.
    """
    try:
        rows, _ = _read_rows((protocol,), None, bound=True)
    except (OSError, WirecatError):  # the system refuses, or what would read it is not installed
        return None
    holders = [row for row in rows if row.protocol == protocol and row.local_port == port and _is_in_way(row, host)]
    if not holders:
        return None
    holder = min(holders, key=lambda row: (not row.is_listening, row.state == "TIME-WAIT", row.local_host != host))
    _fill_in_processes([holder])
    return holder


def _is_in_way(row: SocketRow, host: str) -> bool:
    """Whether a socket on this row's address keeps another from binding ``host`` (ipv6(7), IPV6_V6ONLY)."""
    if not host or host in _WILDCARDS or row.local_host in (host, "::"):
        return True
    if ":" in host:
        return False
    return row.local_host in ("0.0.0.0", f"::ffff:{host}")


def _read_rows(
    protocols: Collection[str], states: Collection[str] | None, *, bound: bool = False
) -> tuple[list[SocketRow], list[str]]:
    """The rows from this platform's source, which may give more than was asked for, and the notes."""
    if sys.platform.startswith("linux"):
        return _read_linux(protocols, states, bound=bound)
    if sys.platform == "win32":
        return _read_windows(protocols)
    from wirecat.system.psutil_sockets import read_psutil_sockets

    return read_psutil_sockets()


def _read_linux(
    protocols: Collection[str], states: Collection[str] | None, *, bound: bool = False
) -> tuple[list[SocketRow], list[str]]:
    from wirecat.system.netlink_sockets import read_netlink_sockets
    from wirecat.system.proc_sockets import read_proc_sockets

    rows: list[SocketRow] = []
    notes: list[str] = []
    for protocol in protocols:
        for family in _FAMILIES:
            try:
                found, complete = read_netlink_sockets(protocol, family, states, bound=bound and protocol == "tcp")
                if not complete and _CHANGED not in notes:
                    notes.append(_CHANGED)
            except OSError as refused:
                try:
                    found = read_proc_sockets(protocol, family)
                except OSError as error:
                    raise _unreadable(f"{refused.strerror or refused}; {error.strerror or error}") from error
            rows += found
    return rows, notes


def _read_windows(protocols: Collection[str]) -> tuple[list[SocketRow], list[str]]:
    from wirecat.system.windows_sockets import read_windows_sockets

    try:
        tables = [read_windows_sockets(protocol, family) for protocol in protocols for family in _FAMILIES]
    except OSError as error:
        raise _unreadable(str(error.strerror or error)) from error
    return [row for table in tables for row in table], []


def _unreadable(reason: str) -> WirecatError:
    return NetworkError(f"this system lets its socket table not be read ({reason})", step="sockets")


def _fill_in_processes(rows: list[SocketRow]) -> list[str]:
    """Set ``pid`` and ``process`` where they can be found, and return notes of what could not."""
    if sys.platform.startswith("linux"):
        return _fill_in_linux_processes(rows)
    names: dict[int, str | None] = {}
    if sys.platform == "win32":
        from wirecat.system.windows_processes import windows_process_names

        names.update(windows_process_names())
    else:
        from wirecat.system.psutil_sockets import psutil_process_name

        names.update({pid: psutil_process_name(pid) for pid in {row.pid for row in rows} if pid is not None})
    for row in rows:
        if row.pid is not None:
            row.process = names.get(row.pid)
    return []


def _fill_in_linux_processes(rows: list[SocketRow]) -> list[str]:
    from wirecat.system.processes import find_socket_owners

    inodes = {row.inode for row in rows if row.inode is not None}
    if not inodes:
        return []
    owners = find_socket_owners(inodes).by_inode
    unknown = 0
    for row in rows:
        if row.inode is None:
            continue
        owner = owners.get(row.inode)
        if owner is None:
            unknown += 1
        else:
            row.pid, row.process = owner
    if not unknown:
        return []
    sockets = "1 socket" if unknown == 1 else f"{unknown} sockets"
    if os.geteuid():
        return [f"processes of other users are not shown ({sockets}): run as root to see them"]
    return [f"the process of {sockets} cannot be seen: protected, another container's, or the kernel itself"]
