"""How the clients of a swarm get connected: at a steady rate, each with its own time limit.

A connect succeeds as soon as the server's kernel has queued it, long before the server accepts it, so a
client cannot see how full that queue is; and when it overflows, the kernel drops the connect and tries again
after 1, 3, 7 s. The one thing that helps is not to be faster than servers accept.
"""

from __future__ import annotations

import asyncio
import errno
import socket

from wirecat.socket_transport import SocketTransport
from wirecat.swarm.failures import connect_kind, telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.endpoints.resolve import Candidate
    from wirecat.swarm.client import Client
    from wirecat.system.readiness import Readiness
    from wirecat.taps.tap import Tap

#: Seconds that connects may be behind their time and still catch up.
_MOST_LATE = 0.005


async def connect_all(
    clients: Sequence[Client],
    candidates: list[Candidate],
    *,
    first: socket.socket | None,
    rate: float,
    timeout: float,
    tap: Tap | None = None,
    readiness: Readiness | None = None,
) -> None:
    """Connect each client, or let it fail with the kind of failure; ``rate`` is how many begin in a second.

    ``candidates`` are tried in order. ``first`` is a connected socket for the first client. ``tap`` is shown what goes over
    the wire. ``readiness`` drives the connections, where there is one, else the loop.
    """
    loop = asyncio.get_running_loop()
    waiting = list(clients)
    async with asyncio.TaskGroup() as group:
        if first is not None:
            group.create_task(_start_with(waiting.pop(0), first, tap, readiness))
        begun = loop.time()
        for index, client in enumerate(waiting):
            early = begun + index / rate - loop.time()
            if early > 0:
                await asyncio.sleep(early)
            elif early < -_MOST_LATE:
                begun -= early  # what was missed is not made up for: that would be a burst
            group.create_task(_connect(client, candidates, timeout, tap, readiness))


async def _start_with(client: Client, connected: socket.socket, tap: Tap | None, readiness: Readiness | None) -> None:
    """Give a client a socket that is connected already."""
    try:
        await _adopt(client, connected, tap, readiness)
    except OSError as error:
        client.fail(connect_kind(error))


async def _connect(
    client: Client, candidates: list[Candidate], timeout: float, tap: Tap | None, readiness: Readiness | None
) -> None:
    """Connect one client, or let it fail."""
    try:
        await _adopt(client, await open_socket(candidates, timeout), tap, readiness)
    except OSError as error:
        client.fail(connect_kind(error))


async def open_socket(candidates: list[Candidate], timeout: float) -> socket.socket:
    """A socket connected to the first candidate that takes it. Raises OSError: of several failures the telling one."""
    deadline = asyncio.get_running_loop().time() + timeout
    failures: list[OSError] = []
    for index, candidate in enumerate(candidates):
        # Each candidate may use its share of the time that is left, so that a silent one does not use it all.
        left = deadline - asyncio.get_running_loop().time()
        try:
            return await _attempt(candidate, left / (len(candidates) - index))
        except OSError as error:
            failures.append(error)
    raise telling(failures)


async def _attempt(candidate: Candidate, timeout: float) -> socket.socket:
    """A connected socket. Raises OSError, TimeoutError among them."""
    family, place = candidate
    attempt = socket.socket(family, socket.SOCK_STREAM)
    try:
        attempt.setblocking(False)
        async with asyncio.timeout(timeout):
            await asyncio.get_running_loop().sock_connect(attempt, place)
        # A port among those that the kernel hands out to clients may, with nobody listening there, be joined
        # to itself (simultaneous open, RFC 9293 section 3.5). It would echo, and pass for a server.
        if attempt.getsockname() == attempt.getpeername():
            raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")
    except BaseException:
        attempt.close()
        raise
    return attempt


async def _adopt(client: Client, connected: socket.socket, tap: Tap | None, readiness: Readiness | None) -> None:
    """Hand a connected socket to ``readiness`` or to the event loop, which closes it from then on.

    To the end even if it is cancelled, which is a turn of the loop away: in the middle of it neither the client nor
    anybody else could tell whose the socket is.
    """
    protocol: asyncio.Protocol = client
    if tap is not None:
        from wirecat.swarm.tapped import TappedClient

        try:
            protocol = TappedClient(client, tap, connected)
        except OSError:  # the server has broken off already
            connected.close()
            raise
    if readiness is not None:
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the loop's own transports do
            SocketTransport(readiness, connected, protocol)
        except OSError:
            connected.close()
            raise
        return
    adopting = asyncio.ensure_future(asyncio.get_running_loop().create_connection(lambda: protocol, sock=connected))
    try:
        await asyncio.shield(adopting)
    except asyncio.CancelledError:
        await asyncio.wait((adopting,))
        if adopting.exception() is not None:
            connected.close()
        raise
    except BaseException:
        connected.close()
        raise
