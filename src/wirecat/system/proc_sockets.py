"""The socket table from /proc/net (proc(5)), for Linux where inet_diag is refused, as in some containers.

The addresses there are 32-bit words in hexadecimal, printed as the machine's own numbers of what lies in
memory in network order: on a little-endian machine 127.0.0.1 reads ``0100007F``. Ports are plain hexadecimal
numbers.
"""

from __future__ import annotations

import socket
import sys

from wirecat.system.kernel_file import read_kernel_file
from wirecat.system.socket_row import LINUX_TCP_STATES, LINUX_UDP_STATES, SocketRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal


def read_proc_sockets(protocol: str, family: str, *, directory: str = "/proc/net") -> list[SocketRow]:
    """The sockets of one protocol and family. A system without the family has no such file, and so no rows.

    Raises OSError where /proc may not be read. How many connections a listener lets wait is not told here
    (None).
    """
    name = protocol + ("6" if family == "ipv6" else "")
    try:
        table = read_kernel_file(f"{directory}/{name}")
    except FileNotFoundError:
        if family == "ipv4":
            raise
        return []
    scopes = _read_scopes(f"{directory}/if_inet6") if family == "ipv6" else {}
    return parse_proc_table(table, protocol, family, scopes=scopes)


def parse_proc_table(
    table: bytes,
    protocol: str,
    family: str,
    *,
    byte_order: Literal["little", "big"] = sys.byteorder,
    scopes: Mapping[str, str] | None = None,
) -> list[SocketRow]:
    """Read the text of /proc/net/tcp, tcp6, udp or udp6. A line that is no socket is left out.

    ``scopes`` gives the interface of each link-local address of this machine.
    """
    states = LINUX_TCP_STATES if protocol == "tcp" else LINUX_UDP_STATES
    scopes = scopes or {}
    hosts: dict[bytes, str] = {}
    rows = []
    for line in table.splitlines():
        words = line.split()
        if len(words) < 10 or not words[0].endswith(b":"):
            continue
        try:
            local, local_port = words[1].split(b":")
            remote, remote_port = words[2].split(b":")
            send_queue, recv_queue = words[4].split(b":")
            for word in (local, remote):
                if word not in hosts:
                    hosts[word] = read_proc_host(word, family, byte_order)
            state = states.get(int(words[3], 16))
            local_host, remote_host = hosts[local], hosts[remote]
            port = int(remote_port, 16) or None
            inode = int(words[9]) or None
            scope = scopes.get(local_host)
            if scope is not None:
                # The kernel does not print the interface; both ends of a link-local conversation are on the
                # same one.
                local_host = f"{local_host}%{scope}"
                remote_host = f"{remote_host}%{scope}" if remote_host.startswith("fe80:") else remote_host
            rows.append(
                SocketRow(
                    protocol,
                    family,
                    local_host,
                    int(local_port, 16),
                    remote_host if port else None,
                    port,
                    state,
                    int(recv_queue, 16),
                    int(send_queue, 16) if state != "LISTEN" else None,
                    int(words[7]) if inode else None,
                    inode,
                )
            )
        except (ValueError, OSError):
            continue  # a line that the kernel did not finish
    return rows


def read_proc_host(word: bytes, family: str, byte_order: Literal["little", "big"]) -> str:
    """An address as /proc/net prints it, as text. Raises ValueError where it is none.

    >>> read_proc_host(b"0100007F", "ipv4", "little")
    '127.0.0.1'
    """
    size, number = (4, socket.AF_INET) if family == "ipv4" else (16, socket.AF_INET6)
    if len(word) != 2 * size:
        raise ValueError(f"an address of {len(word)} digits")
    raw = b"".join(int(word[at : at + 8], 16).to_bytes(4, byte_order) for at in range(0, 2 * size, 8))
    return socket.inet_ntop(number, raw)


def _read_scopes(path: str) -> dict[str, str]:
    """Link-local address → interface, from /proc/net/if_inet6; without those that several interfaces have."""
    scopes: dict[str, str] = {}
    doubtful = set()
    try:
        lines = read_kernel_file(path).decode("utf-8", "backslashreplace").splitlines()
    except OSError:
        return {}
    for line in lines:
        words = line.split()
        if len(words) == 6 and words[0].startswith("fe8"):
            host = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[0]))
            if scopes.setdefault(host, words[5]) != words[5]:
                doubtful.add(host)
    return {host: name for host, name in scopes.items() if host not in doubtful}
