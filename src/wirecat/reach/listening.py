"""Who listens on a port of this PC, on which addresses, and who is connected to it: read off the socket table."""

from __future__ import annotations

import sys

from wirecat.reach.places import place_of, unmapped
from wirecat.system.socket_table import read_socket_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wirecat.system.interface_address import InterfaceAddress
    from wirecat.system.netlink_listeners import Listener
    from wirecat.system.socket_row import SocketRow

_WILDCARDS = {"0.0.0.0": "ipv4", "::": "ipv6"}
# A connection that was established once; SYN-RECEIVED is none yet.
_CAME = {"ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"}


class Listening:
    """The listeners of one port.

    ``rows`` are they; ``hosts`` by family ("ipv4", "ipv6") the addresses that they listen on, "" for all of the family, each with
    ``%INTERFACE`` where the listener is bound to one; ``names`` are the same in words.
    ``doubtful`` says that a listener on all IPv6 addresses may or may not take IPv4 too. ``came`` are the remote hosts
    of connections to the port by the place they are at: "host", "lan", "internet".
    """

    __slots__ = ("came", "doubtful", "hosts", "names", "rows")

    def __init__(self) -> None:
        self.rows: list[SocketRow] = []
        self.hosts: dict[str, set[str]] = {"ipv4": set(), "ipv6": set()}
        self.names: set[str] = set()
        self.doubtful = False
        self.came: dict[str, str] = {}

    @property
    def loopback_only(self) -> bool:
        """Whether only programs of this PC can connect."""
        hosts = [host for family in self.hosts.values() for host in family]
        return bool(hosts) and all(host.startswith("127.") or host == "::1" or host.endswith("%lo") for host in hosts)

    @property
    def overflowing(self) -> SocketRow | None:
        """A listener whose queue is full: its program does not accept. (Linux tells.)"""
        for row in self.rows:
            if row.recv_queue is not None and row.send_queue and row.recv_queue >= row.send_queue:
                return row
        return None

    def takes(self, entry: InterfaceAddress) -> bool:
        """Whether a connection to an address of this machine, by its interface, finds a listener."""
        host = entry.host.partition("%")[0]
        return not self.hosts[entry.family].isdisjoint({"", host, f"%{entry.name}", f"{host}%{entry.name}"})


def look_at_listeners(port: int, own: Iterable[InterfaceAddress], gateways: Iterable[str]) -> Listening:
    """Read the table. Raises WirecatError where the system does not let it be read."""
    found = Listening()
    own, gateways = list(own), list(gateways)
    table = read_socket_table(protocols=("tcp",), port=port)
    for row in table.rows:
        if row.local_port != port:
            continue
        if row.is_listening:
            _add(found, row)
        elif row.state in _CAME and row.remote_host:
            place = place_of(row.remote_host, own, gateways)
            found.came.setdefault(place, unmapped(row.remote_host))
    found.came.pop("", None)
    return found


def listening_programs(port: int, host: str) -> list[str]:
    """The programs that take connections to an address of this machine, each once, as paths.

    Where the path cannot be seen it is the name alone, and "" where nothing is known of it. Raises WirecatError.
    """
    from wirecat.system.program_path import program_path

    programs = []
    for row in read_socket_table(protocols=("tcp",), port=port).rows:
        local = unmapped(row.local_host).partition("%")[0]
        if row.local_port == port and row.is_listening and (local in _WILDCARDS or local == host):
            path = None if row.pid is None else program_path(row.pid)
            programs.append(path or row.process or "")
    return list(dict.fromkeys(programs))


def _add(found: Listening, row: SocketRow) -> None:
    found.rows.append(row)
    detail = _read_detail(row)
    host = unmapped(row.local_host).partition("%")[0]
    device = ""
    if detail is not None and detail.device:
        from wirecat.system.netlink_sockets import interface_name

        device = f"%{interface_name(detail.device)}"
    found.names.add(f"{row.local_host.partition('%')[0]}{device}" if device else row.local_host)
    family = _WILDCARDS.get(host)
    if family is None:
        found.hosts["ipv6" if ":" in host else "ipv4"].add(f"{host}{device}")
        return
    found.hosts[family].add(device)
    if family == "ipv6":
        if detail is None:
            found.doubtful = True
        elif not detail.only_ipv6:
            found.hosts["ipv4"].add(device)


def _read_detail(row: SocketRow) -> Listener | None:
    """What the kernel tells of a listener beside the table; None where the system does not tell."""
    if not sys.platform.startswith("linux") or row.inode is None:
        return None
    from wirecat.system.netlink_listeners import read_listeners

    try:
        return next((each for each in read_listeners(row.local_port or 0) if each.inode == row.inode), None)
    except OSError:
        return None
