"""What the verbs take, as immutable values that are checked in one place, before any socket opens."""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.immutable import Immutable

FRAMINGS = ("none", "line")
ENGINES = ("threads", "async")
LARGEST_READ = 1 << 20
REPLIES_A_SECOND = 1000  # datagrams to one peer, unless it is said


def require_number(
    name: str, value: float | None, *, least: float, whole: bool = False, above: bool = False, required: bool = False
) -> None:
    """Raise UsageError unless ``value`` is a number of at least ``least`` (more than it, with ``above``), or None, which
    only ``required`` forbids."""
    if value is None and not required:
        return
    is_number = (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and not whole)
    # A NaN compares false with everything, so the test is for what is right rather than for what is wrong.
    if not is_number or value is None or not (value > least if above else value >= least) or value == float("inf"):
        kind = "a whole number" if whole else "a number"
        bound = "more than" if above else "at least"
        raise UsageError(f"{name} must be {kind} of {bound} {least:g}, not {value!r}")


class ConnectOptions(Immutable):
    """How a connection is opened.

    ``timeout``: seconds for the whole of connecting, name lookup, all addresses and retries together (None: no limit).
    ``retry``: how often to try again after a failure, with a growing pause (0.1 s doubled up to 5 s).
    """

    __slots__ = ("retry", "timeout")

    timeout: float | None
    retry: int

    def __init__(self, timeout: float | None = 10.0, retry: int = 0) -> None:
        require_number("timeout", timeout, least=0, above=True)
        require_number("retry", retry, least=0, whole=True, required=True)
        self._set(timeout=timeout, retry=retry)


class ServeOptions(Immutable):
    """How a server treats its connections.

    ``engine``: ``threads``, ``async``, or None for the one the handler's colour asks for (responders: threads).
    ``max_connections``: how many at once (None: what this machine sanely allows; 0: nobody). ``max_handshakes``: how many
    clients at once may be in their TLS handshake, which counts as no connection yet (None: 4096, or a quarter of the open
    files allowed). ``dead_after``: seconds after which a TCP peer that no longer answers is lost (None: as the system has
    it); one that only reads nothing does answer. ``idle_timeout``: seconds without a byte either way after which a
    connection is closed (None: never). ``allow``/``deny``: addresses, CIDR blocks, ranges (``10.0.0-3.*``) or hosts' names;
    deny wins, and where anything is allowed everything else is denied. ``drain``: seconds that open connections get to end
    by themselves when the server stops. ``framing`` (``none`` or ``line``) and ``chunk`` (most bytes of one read) are for
    responders. ``once``: serve one connection, then stop. ``backlog``: connections the kernel queues (listen(2)).

    For datagrams: ``udp_replies`` is how many replies a second one host gets (on loopback: one address and port), and 1200
    times as many bytes beyond what it sent; None: no limit. With ``evict`` a new peer replaces the one that has been
    silent longest when ``max_connections`` is reached, else it is turned away.
    """

    __slots__ = (
        "allow", "backlog", "chunk", "dead_after", "deny", "drain", "engine", "evict", "framing", "idle_timeout", "max_connections",
        "max_handshakes", "once", "udp_replies",
    )  # fmt: skip

    engine: str | None
    max_connections: int | None
    max_handshakes: int | None
    dead_after: float | None
    idle_timeout: float | None
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    drain: float
    framing: str
    chunk: int | None
    once: bool
    backlog: int
    udp_replies: int | None
    evict: bool

    def __init__(
        self,
        *,
        engine: str | None = None,
        max_connections: int | None = None,
        max_handshakes: int | None = None,
        dead_after: float | None = 60.0,
        idle_timeout: float | None = None,
        allow: tuple[str, ...] | list[str] = (),
        deny: tuple[str, ...] | list[str] = (),
        drain: float = 2.0,
        framing: str = "none",
        chunk: int | None = None,
        once: bool = False,
        backlog: int = 1024,
        udp_replies: int | None = REPLIES_A_SECOND,
        evict: bool = True,
    ) -> None:
        if engine is not None and engine not in ENGINES:
            raise UsageError(f"unknown engine {engine!r}", hint=f"There are: {', '.join(ENGINES)}.")
        if framing not in FRAMINGS:
            raise UsageError(f"unknown framing {framing!r}", hint=f"There are: {', '.join(FRAMINGS)}.")
        for name, blocks in (("allow", allow), ("deny", deny)):
            if isinstance(blocks, str):
                raise UsageError(f"{name} takes a list of addresses, not one string", hint=f"Write [{blocks!r}].")
        require_number("max_connections", max_connections, least=0, whole=True)
        require_number("max_handshakes", max_handshakes, least=1, whole=True)
        require_number("dead_after", dead_after, least=0, above=True)
        require_number("idle_timeout", idle_timeout, least=0, above=True)
        require_number("drain", drain, least=0, required=True)
        require_number("chunk", chunk, least=1, whole=True)
        require_number("udp_replies", udp_replies, least=1, whole=True)
        require_number("backlog", backlog, least=1, whole=True, required=True)
        if chunk is not None and chunk > LARGEST_READ:
            raise UsageError(f"chunk is at most {LARGEST_READ} bytes, not {chunk}")
        self._set(
            engine=engine, max_connections=max_connections, max_handshakes=max_handshakes, idle_timeout=idle_timeout,
            allow=tuple(allow), deny=tuple(deny), drain=drain, framing=framing, chunk=chunk, once=once, backlog=backlog,
            udp_replies=udp_replies, evict=evict, dead_after=dead_after,
        )  # fmt: skip
