"""The verb ``swarm``: many clients at once against one server, and what came of it as a result."""

from __future__ import annotations

import asyncio

from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints.race import connect_first
from wirecat.endpoints.resolve import resolve
from wirecat.errors import AddressError, UsageError
from wirecat.swarm.connects import Knockers
from wirecat.swarm.crowd import Crowd
from wirecat.swarm.interrupts import run_interruptibly
from wirecat.swarm.options import SwarmOptions
from wirecat.taps.named import NamedTap
from wirecat.taps.row import require_own_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from wirecat.endpoints.resolve import Candidate
    from wirecat.swarm.crowd import Watcher
    from wirecat.swarm.result import SwarmResult
    from wirecat.taps.tap import Tap

#: Seconds in which one of several addresses of the server has to answer to be preferred for all clients.
_SCOUTING_TIME = 2.0


def swarm(
    address: str | int | Address,
    clients: int,
    *,
    messages: int | None = None,
    duration: float | None = None,
    message: str | None = None,
    size: int | None = None,
    payload: bytes | None = None,
    newline: str | None = None,
    expect: str | None = None,
    rate: float | None = None,
    think: float = 0.0,
    connects: bool = False,
    timeout: float = 10.0,
    reply_timeout: float = 10.0,
    connect_rate: float | None = None,
    workers: int = 1,
    progress: Watcher | None = None,
    tap: Tap | NamedTap | None = None,
) -> SwarmResult:
    """Connect ``clients`` clients to ``address``, let each talk until its last reply, and close them all.

    All are connected before the first message leaves, and stay connected until the last reply is there. Each
    sends a message, waits for its reply, checks it, and sends the next: ``messages`` of them (default 10), or
    for ``duration`` seconds, after which replies under way are still waited for. With ``rate`` each sends in its
    time instead (an open loop); with ``connects`` nothing is sent, and what counts is how many connections can be
    made. ``workers``: how many processes drive the clients. What the options mean is told by ``SwarmOptions``.

    ``progress`` is called in this thread, at most five times a second and at each change of phase
    (``SwarmProgress``). In phase ``connected`` all clients are there and none has sent; what the function
    does then costs no latency.

    ``tap`` is shown what goes over the wire, connection by connection; it must not alter it. Several processes
    (``workers``) make themselves one each: a NamedTap.

    It blocks, in any thread, with an event loop of its own. What goes wrong with a client is in the result
    and raises nothing. Ctrl-C ends the run, and the result says so (``interrupted``); a second one raises
    KeyboardInterrupt. Raises UsageError (an option that cannot be, or an event loop runs in this thread
    already), AddressError, UnknownHost, NoAnswer (the lookup of the name hung), and whatever ``progress``
    raises.

    >>> import wirecat
    >>> with wirecat.serve("echo", "127.0.0.1:0") as server:
    ...     result = wirecat.swarm(server.address, 20, expect="echo")
    >>> result.ok, result.connected, result.replies_ok, result.replies_wrong
    (True, 20, 200, 0)
    """
    options = SwarmOptions(
        clients, messages=messages, duration=duration, message=message, size=size, payload=payload, newline=newline,
        expect=expect, rate=rate, think=think, connects=connects, timeout=timeout, reply_timeout=reply_timeout,
        connect_rate=connect_rate, workers=workers,
    )  # fmt: skip
    if tap is not None and options.connects:
        raise UsageError("a tap is not for connections that carry nothing", step="swarm", hint="Leave --connects out.")
    if tap is not None and isinstance(tap, NamedTap) != (options.workers > 1):
        raise UsageError("a tap is not for several processes, and a NamedTap for nothing else", step="swarm")
    if tap is not None and not isinstance(tap, NamedTap):
        require_own_thread(tap, True)
    address = _checked(Address.parse(address).target())
    _refuse_inside_a_loop()
    candidates = resolve(address, Deadline(options.timeout))
    first = _scout(candidates, options.timeout)
    try:
        if options.workers > 1:
            from wirecat.swarm.workers import run_workers

            outcome, lost = run_workers(options, candidates, first=first, progress=progress, tap=tap)  # type: ignore[arg-type]
            return outcome.result(address, options, lost)
        if options.connects:
            return run_interruptibly(Knockers(options, candidates, progress=progress), first).result(address, options)
        crowd = Crowd(options, candidates, progress=progress, tap=tap)  # type: ignore[arg-type]
        return run_interruptibly(crowd, first).result(address, options)
    finally:
        if first is not None:
            first.close()


def _checked(address: Address) -> Address:
    if address.scheme != "tcp":
        raise AddressError(
            f"a swarm speaks TCP, not {address.scheme}",
            address=address,
            step="swarm",
            hint="Write 12345 or host:12345.",
        )
    if address.options:
        name = address.options[0][0]
        raise AddressError(f"a swarm knows no option {name!r} of an address", address=address, step="swarm")
    return address


def _refuse_inside_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(
        "it blocks, and an event loop runs in this thread",
        step="swarm",
        hint="Use: await asyncio.to_thread(swarm, …)",
    )


def _scout(candidates: list[Candidate], timeout: float) -> socket.socket | None:
    """The first client's socket, where there are several addresses; the one that answered moves to the front.

    Otherwise each client would find out for itself that, say, the server is on IPv6 alone. None when no
    address answered: the clients will find out why.
    """
    if len(candidates) < 2:
        return None
    try:
        first = connect_first(candidates, Deadline(min(timeout, _SCOUTING_TIME)))
        peer = first.getpeername()
    except OSError:
        return None
    first.setblocking(False)
    candidates.sort(key=lambda candidate: (candidate[0], *candidate[1][:2]) != (first.family, *peer[:2]))
    return first
