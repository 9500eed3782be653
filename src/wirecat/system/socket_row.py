"""One row of this machine's socket table, and the names of the states a socket can be in.

Every source (netlink, /proc, Windows' tables, psutil) gives rows of this one class, so nothing above knows
which it was.
"""

from __future__ import annotations

TCP_STATES = (
    "LISTEN",
    "SYN-SENT",
    "SYN-RECEIVED",
    "ESTABLISHED",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "CLOSE-WAIT",
    "CLOSING",
    "LAST-ACK",
    "TIME-WAIT",
    "CLOSED",
)
"""The states of a TCP connection as RFC 9293 section 3.3.2 names them."""

UDP_STATES = ("UNCONNECTED", "ESTABLISHED")
"""UDP has no states of its own; one that called connect() has one peer only (ESTABLISHED)."""

# Linux's numbers (include/net/tcp_states.h), the same in inet_diag and in /proc. 12 is a connection whose
# handshake goes on; 13 is a socket that is bound but neither listens nor is connected (asked for by name,
# since Linux 6.8).
LINUX_TCP_STATES: dict[int, str | None] = {
    1: "ESTABLISHED",
    2: "SYN-SENT",
    3: "SYN-RECEIVED",
    4: "FIN-WAIT-1",
    5: "FIN-WAIT-2",
    6: "TIME-WAIT",
    7: "CLOSED",
    8: "CLOSE-WAIT",
    9: "LAST-ACK",
    10: "LISTEN",
    11: "CLOSING",
    12: "SYN-RECEIVED",
    13: "CLOSED",
}
LINUX_UDP_STATES: dict[int, str | None] = {1: "ESTABLISHED", 7: "UNCONNECTED"}

# What other programs call them, without case and punctuation: ss, netstat on Linux, BSD and Windows, psutil.
_OTHER_NAMES = {
    "LISTENING": "LISTEN",
    "SYNRECV": "SYN-RECEIVED",
    "SYNRCVD": "SYN-RECEIVED",
    "ESTAB": "ESTABLISHED",
    "CONNECTED": "ESTABLISHED",
    "CLOSE": "CLOSED",
    "DELETETCB": "CLOSED",
    "BOUND": "CLOSED",
    "IDLE": "CLOSED",
    "UNCONN": "UNCONNECTED",
}
_NAMES = {name.replace("-", ""): name for name in (*TCP_STATES, *UDP_STATES)} | _OTHER_NAMES


def find_state(text: str) -> str | None:
    """The RFC 9293 name for any usual spelling (``time_wait``, ``SYN_RECV``, ``FIN_WAIT1``); None: no state.

    >>> find_state("fin_wait1")
    'FIN-WAIT-1'
    """
    return _NAMES.get("".join(character for character in text.upper() if character not in "-_ "))


class SocketRow:
    """A socket of this machine. Never changed once handed out; ``socket_table`` fills in the process before.

    ``protocol`` is ``tcp`` or ``udp``, ``family`` ``ipv4`` or ``ipv6``. Hosts are literals without brackets;
    a link-local IPv6 address keeps its scope (``fe80::1%eth0``, a number on Windows). The remote end is None
    where there is none. ``state`` is one of TCP_STATES or UDP_STATES, or None where the system does not tell.

    ``recv_queue`` is how many bytes came and were not read yet (of UDP with the kernel's own overhead),
    ``send_queue`` how many the peer has not confirmed; of a listening socket, as netstat(8) has it, how many
    connections wait to be accepted, and how many may. ``uid`` is the owner's number, ``inode`` Linux's number
    of the socket, ``process`` the name of the process ``pid``, made printable. Where several processes share
    the socket it is the one with the lowest pid. Each is None where unknown.

    >>> row = SocketRow("tcp", "ipv4", "127.0.0.1", 12345, state="LISTEN", pid=4711, process="cat")
    >>> row.is_listening, row.describe_owner()
    (True, 'process cat (pid 4711)')
    """

    __slots__ = (
        "protocol",
        "family",
        "local_host",
        "local_port",
        "remote_host",
        "remote_port",
        "state",
        "recv_queue",
        "send_queue",
        "uid",
        "inode",
        "pid",
        "process",
    )

    def __init__(
        self,
        protocol: str,
        family: str,
        local_host: str,
        local_port: int,
        remote_host: str | None = None,
        remote_port: int | None = None,
        state: str | None = None,
        recv_queue: int | None = None,
        send_queue: int | None = None,
        uid: int | None = None,
        inode: int | None = None,
        pid: int | None = None,
        process: str | None = None,
    ) -> None:
        self.protocol = protocol
        self.family = family
        self.local_host = local_host
        self.local_port = local_port
        self.remote_host = remote_host
        self.remote_port = remote_port
        self.state = state
        self.recv_queue = recv_queue
        self.send_queue = send_queue
        self.uid = uid
        self.inode = inode
        self.pid = pid
        self.process = process

    @property
    def is_listening(self) -> bool:
        """Whether anybody may talk to it: a TCP listener, or a UDP socket without a peer."""
        return self.state == "LISTEN" or (self.protocol == "udp" and self.remote_port is None)

    def describe_owner(self) -> str:
        """Who has it: ``process python3 (pid 4711)``, or "" where that cannot be seen."""
        if self.pid is None:
            return ""
        return f"process {self.process} (pid {self.pid})" if self.process else f"process {self.pid}"

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SocketRow) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"SocketRow({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"
