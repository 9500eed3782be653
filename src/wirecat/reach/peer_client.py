"""Ask a wirecat elsewhere to connect to a port of this PC, and see whether that very connection arrives.

"Open" counts only if it is in our own table of sockets: on the way a router's own service, or another PC that the port
is forwarded to, can answer in our place.
"""

from __future__ import annotations

import errno
import socket

from wirecat.deadline import Deadline
from wirecat.errors import NetworkError, NoAnswer, Refused, WirecatError
from wirecat.reach.findings import Proof
from wirecat.reach.peer_server import DEFAULT_PORT, DIAL_SECONDS, HOLD_SECONDS
from wirecat.reach.places import place_of, unmapped
from wirecat.system.socket_table import read_socket_table
from wirecat.wire.reach_peer import BUSY, OPEN, REFUSED, RESULTS, TIMEOUT, Lines, read_from, request_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.findings import Findings

_CONNECT_SECONDS = 4.0
_LOOKUP_SECONDS = 10.0
_LOOK_AGAIN = 0.05
_WORDS = {
    REFUSED: "was refused",
    TIMEOUT: f"got no answer in {DIAL_SECONDS:g} s: something drops it",
}


def ask_peer(found: Findings, host: str, peer_port: int) -> Proof:
    """What came of a connection from ``host`` to the port. Raises WirecatError where the peer cannot be asked."""
    target = _resolve(host, peer_port)
    place = place_of(target, found.interfaces, [route.gateway for route in found.routes]) or "lan"
    family = "ipv6" if ":" in target else "ipv4"
    external = found.exposed.get(family, ("", found.port))[1] if place == "internet" else found.port
    deadline = Deadline(_CONNECT_SECONDS + DIAL_SECONDS + HOLD_SECONDS + 2)
    try:
        connection = socket.create_connection((target, peer_port), _CONNECT_SECONDS)
    except OSError as error:
        return _no_peer(error, host, target, peer_port, place, family)
    with connection:
        before = _connections(found.port)
        connection.sendall(request_line(external))
        lines = Lines()
        said = _next_line(connection, lines, deadline, host)
        if said == BUSY:
            raise NetworkError("it is asked too often; try again in a second", address=host, step="reach")
        source = _read(said, host)
        result = _next_line(connection, lines, deadline, host)
        if result not in RESULTS:
            raise NetworkError("it answers what wirecat reach --serve-peer does not", address=host, step="reach")
        where = f"a connection from {host} ({target}) to port {external}"
        if result != OPEN:
            return Proof(place, False, f"{where} {_WORDS.get(result, 'found no way here')}", family)
        if _arrived(found.port, target, source[1], before, connection):
            return Proof(place, True, f"{where} arrived here", family)
        words = f"{where} was answered, but not by this PC: a router's own service, or another PC, has the port"
        return Proof(place, False, words, family)


def _resolve(host: str, port: int) -> str:
    """The address that a host's name means; IPv4 where it has both. Raises UnknownHost, NoAnswer, UsageError."""
    from wirecat.address import Address
    from wirecat.endpoints.resolve import resolve

    found = resolve(Address("tcp", host, port), Deadline(_LOOKUP_SECONDS), "reach")
    addresses = sorted((family != socket.AF_INET, str(place[0])) for family, place in found)
    return addresses[0][1]


def _no_peer(error: OSError, host: str, target: str, port: int, place: str, family: str) -> Proof:
    """What it means that the peer cannot be talked to: on the local network, that neither gets to the other."""
    hint = f"There: wirecat reach --serve-peer{'' if port == DEFAULT_PORT else f' {port}'}"
    if isinstance(error, ConnectionRefusedError):
        raise Refused("nobody answers there", address=f"{host}:{port}", step="reach", hint=hint) from error
    if place == "lan" and error.errno in (errno.EHOSTUNREACH, errno.EHOSTDOWN):
        why = "it is off, or the network keeps devices apart (client isolation)"
        words = f"{host} ({target}) and this PC do not see each other on the local network: {why}"
        return Proof(place, False, words, family)
    raise NoAnswer(f"it cannot be asked ({error.strerror or error})", address=f"{host}:{port}", step="reach",
                   hint=hint) from error  # fmt: skip


def _next_line(connection: socket.socket, lines: Lines, deadline: Deadline, host: str) -> str:
    try:
        while (line := lines.next()) is None:
            left = deadline.within(60.0)
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            data = connection.recv(256)
            if not data:
                raise NetworkError("it closed the connection", address=host, step="reach")
            lines.feed(data)
    except (TimeoutError, ConnectionError, ValueError) as error:
        if isinstance(error, WirecatError) and not isinstance(error, ValueError):
            raise
        raise NetworkError(
            "it does not answer as wirecat reach --serve-peer does", address=host, step="reach"
        ) from error
    return line


def _read(line: str, host: str) -> tuple[str, int]:
    try:
        return read_from(line)
    except ValueError as error:
        raise NetworkError(str(error), address=host, step="reach") from error


def _connections(port: int) -> set[tuple[str, int]]:
    """Who is connected to the port now: addresses and ports."""
    table = read_socket_table(protocols=("tcp",), port=port, processes=False)
    return {
        (unmapped(row.remote_host).partition("%")[0], row.remote_port or 0)
        for row in table.rows
        if row.local_port == port and row.remote_host and row.state not in ("LISTEN", "SYN-RECEIVED", "SYN-SENT")
    }


def _arrived(port: int, host: str, source_port: int, before: set[tuple[str, int]], connection: socket.socket) -> bool:
    """Whether the peer's connection shows in our table, while the peer holds it.

    From the peer's own port; or from another, where a translator on its side has changed that: then it is one of the
    peer's address that was not there before.
    """
    deadline = Deadline(HOLD_SECONDS)
    host = host.partition("%")[0]
    while True:
        now = _connections(port)
        if (host, source_port) in now or any(each[0] == host for each in now - before):
            return True
        if deadline.expired:
            return False
        connection.settimeout(_LOOK_AGAIN)
        try:
            if not connection.recv(16, socket.MSG_PEEK):
                return False  # the peer has gone
        except TimeoutError:
            continue
        except OSError:
            return False
        # It has said that it is done. What is in the table now is all that there will be.
        now = _connections(port)
        return (host, source_port) in now or any(each[0] == host for each in now - before)
