"""The socket table on Windows: GetExtendedTcpTable and GetExtendedUdpTable of iphlpapi.dll, by ctypes.

The structures are those of Microsoft's documentation (iprtrmib.h, tcpmib.h, udpmib.h: MIB_TCPROW_OWNER_PID
and its kin): a count, then rows of 32-bit words. A port is the low 16 bits of a word, in network order; the
high 16 bits may be anything. The functions that read the bytes are pure and work everywhere; only
``read_windows_sockets`` needs Windows.
"""

from __future__ import annotations

import socket
import struct
import sys

from wirecat.system.socket_row import SocketRow

_COUNT = struct.Struct("<I")
_TCP4 = struct.Struct("<I4sI4sII")  # state, local address, port, remote address, port, pid
_TCP6 = struct.Struct("<16sII16sIIII")  # local address, scope, port, remote address, scope, port, state, pid
_UDP4 = struct.Struct("<4sII")  # address, port, pid
_UDP6 = struct.Struct("<16sIII")  # address, scope, port, pid

# MIB_TCP_STATE. DELETE_TCB is a connection that is about to vanish.
_STATES = {
    1: "CLOSED",
    2: "LISTEN",
    3: "SYN-SENT",
    4: "SYN-RECEIVED",
    5: "ESTABLISHED",
    6: "FIN-WAIT-1",
    7: "FIN-WAIT-2",
    8: "CLOSE-WAIT",
    9: "CLOSING",
    10: "LAST-ACK",
    11: "TIME-WAIT",
    12: "CLOSED",
}

# On Windows AF_INET is 2 and AF_INET6 is 23; the numbers of the machine that runs the tests differ.
_WINDOWS_FAMILIES = {"ipv4": 2, "ipv6": 23}
_TCP_TABLE_OWNER_PID_ALL = 5
_UDP_TABLE_OWNER_PID = 1
_ERROR_INSUFFICIENT_BUFFER = 122


def parse_windows_table(table: bytes, protocol: str, family: str) -> list[SocketRow]:
    """Read what the two functions put into the buffer, never beyond its end, whatever the count says.

    Queues are not told on Windows, nor is the peer of a UDP socket, so its state is None. Pid 0 (TIME-WAIT)
    is nobody.
    """
    if len(table) < _COUNT.size:
        return []
    layout = {("tcp", "ipv4"): _TCP4, ("tcp", "ipv6"): _TCP6, ("udp", "ipv4"): _UDP4, ("udp", "ipv6"): _UDP6}
    row_layout = layout[protocol, family]
    (count,) = _COUNT.unpack_from(table)
    count = min(count, (len(table) - _COUNT.size) // row_layout.size)
    rows = []
    for offset in range(_COUNT.size, _COUNT.size + count * row_layout.size, row_layout.size):
        values = row_layout.unpack_from(table, offset)
        remote = b""
        remote_port = state = local_scope = remote_scope = 0
        if row_layout is _TCP4:
            state, local, local_port, remote, remote_port, pid = values
        elif row_layout is _TCP6:
            local, local_scope, local_port, remote, remote_scope, remote_port, state, pid = values
        elif row_layout is _UDP4:
            local, local_port, pid = values
        else:
            local, local_scope, local_port, pid = values
        name = _STATES.get(state)
        # A listener's row has no remote end that means anything, whatever its remote port says.
        port = _read_port(remote_port) if protocol == "tcp" and name != "LISTEN" else 0
        rows.append(
            SocketRow(
                protocol,
                family,
                _read_host(local, local_scope),
                _read_port(local_port),
                _read_host(remote, remote_scope) if port else None,
                port or None,
                name,
                pid=pid or None,
            )
        )
    return rows


def _read_port(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8 & 0xFF


def _read_host(raw: bytes, scope: int) -> str:
    if len(raw) == 4:
        return socket.inet_ntop(socket.AF_INET, raw)
    host = socket.inet_ntop(socket.AF_INET6, raw)
    return f"{host}%{scope}" if scope and host.startswith("fe80:") else host


def read_windows_sockets(protocol: str, family: str) -> list[SocketRow]:
    """The sockets of one protocol and family, with their pids. Raises OSError where the system refuses."""
    if sys.platform != "win32":
        raise OSError("only Windows has this table")
    import ctypes

    library = ctypes.WinDLL("iphlpapi", use_last_error=True)
    function = library.GetExtendedTcpTable if protocol == "tcp" else library.GetExtendedUdpTable
    table_class = _TCP_TABLE_OWNER_PID_ALL if protocol == "tcp" else _UDP_TABLE_OWNER_PID
    size = ctypes.c_ulong(64 * 1024)
    for _ in range(10):  # the table may grow between two calls
        buffer = ctypes.create_string_buffer(size.value)
        code = function(buffer, ctypes.byref(size), False, _WINDOWS_FAMILIES[family], table_class, 0)
        if code == 0:
            return parse_windows_table(buffer.raw, protocol, family)
        if code != _ERROR_INSUFFICIENT_BUFFER:
            raise ctypes.WinError(code)
        size.value += size.value // 4
    raise OSError("the socket table grows faster than it can be read")
