"""The socket table by psutil, for systems without a source of ours (macOS, BSD): the extra ``[sockets]``."""

from __future__ import annotations

import socket

from wirecat.errors import UsageError
from wirecat.system.processes import make_printable
from wirecat.system.socket_row import SocketRow, find_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NOT_ALL_SEEN = "sockets of other users' processes are not shown: run as root to see them"


def read_psutil_sockets() -> tuple[list[SocketRow], list[str]]:
    """All TCP and UDP sockets with their pids, and notes of what could not be seen. Queues are not told.

    Raises UsageError where psutil is not installed.
    """
    psutil = _import_psutil()
    try:
        return read_entries(psutil.net_connections(kind="inet")), []
    except psutil.AccessDenied:  # macOS without root: the processes that may be looked into, one by one
        return read_entries(_own_entries(psutil)), [NOT_ALL_SEEN]


def psutil_process_name(pid: int) -> str | None:
    """The name of a process, made printable; None where it has ended or may not be looked into."""
    psutil = _import_psutil()
    try:
        return make_printable(psutil.Process(pid).name())
    except psutil.Error:
        return None


def psutil_program_path(pid: int) -> str | None:
    """The file that a process runs; None where it has ended or may not be looked into."""
    psutil = _import_psutil()
    try:
        path: str = psutil.Process(pid).exe()
    except psutil.Error:
        return None
    return path or None


def _import_psutil() -> Any:
    try:
        import psutil
    except ImportError as error:
        raise UsageError(
            "the socket table of this system is read by psutil, which is not installed",
            hint="Try: pip install 'wirecat[sockets]'",
        ) from error
    return psutil


def read_entries(entries: Iterable[Any]) -> list[SocketRow]:
    """psutil's entries as rows. One without a local address is left out."""
    rows = []
    for entry in entries:
        if not entry.laddr:
            continue
        protocol = "tcp" if entry.type == socket.SOCK_STREAM else "udp"
        remote_host, remote_port = (entry.raddr[0], entry.raddr[1]) if entry.raddr else (None, None)
        if protocol == "tcp":
            state = find_state(entry.status)
        else:
            state = "ESTABLISHED" if remote_port else "UNCONNECTED"
        rows.append(
            SocketRow(
                protocol,
                "ipv6" if entry.family == socket.AF_INET6 else "ipv4",
                entry.laddr[0],
                entry.laddr[1],
                remote_host,
                remote_port,
                state,
                pid=entry.pid or None,
            )
        )
    return rows


def _own_entries(psutil: Any) -> list[_WithPid]:
    entries = []
    for process in psutil.process_iter():
        # psutil 6 renamed connections() to net_connections().
        read = getattr(process, "net_connections", None) or process.connections
        try:
            entries += [_WithPid(connection, process.pid) for connection in read(kind="inet")]
        except psutil.Error:
            continue
    return entries


class _WithPid:
    """A process's own entry, which does not repeat its pid."""

    __slots__ = ("family", "laddr", "pid", "raddr", "status", "type")

    def __init__(self, entry: Any, pid: int) -> None:
        self.family, self.type, self.laddr = entry.family, entry.type, entry.laddr
        self.raddr, self.status, self.pid = entry.raddr, entry.status, pid
