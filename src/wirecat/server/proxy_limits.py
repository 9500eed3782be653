"""How long an HTTP proxy waits for each side."""

from __future__ import annotations

from wirecat.errors import HandlerError
from wirecat.immutable import Immutable

NAMES = ("head", "connect", "body", "response", "tunnel")


class ProxyLimits(Immutable):
    """Time limits of a proxy in seconds; None: no limit. A client that is lost is noticed at once without them.

    ``head``: for the whole head of a request, and for the next request on a connection that stays open. A head is one
    packet; a client that takes longer only holds a connection (slow headers). ``connect``: to reach the server, the lookup
    of its name included. ``body``: between two pieces of a body, the
    request's or the response's. Uploads and downloads move all the time, so such a pause is a peer that has stopped.
    ``response``: until the head of the response has come, counted from the last piece of the request that the server
    took. Reports and long polls compute for minutes. ``tunnel``: without a byte either way in a tunnel (CONNECT). Idle
    sessions of SSH and WebSocket are common, so this is long.
    """

    __slots__ = NAMES

    head: float | None
    connect: float | None
    body: float | None
    response: float | None
    tunnel: float | None

    def __init__(
        self,
        *,
        head: float | None = 30.0,
        connect: float | None = 10.0,
        body: float | None = 60.0,
        response: float | None = 300.0,
        tunnel: float | None = 3600.0,
    ) -> None:
        self._set(head=head, connect=connect, body=body, response=response, tunnel=tunnel)


NO_LIMITS = ProxyLimits(head=None, connect=None, body=None, response=None, tunnel=None)


def parse_limits(text: str) -> ProxyLimits:
    """The limits of ``NAME=SECONDS`` with ``&`` between; 0 is no limit. Raises HandlerError.

    >>> limits = parse_limits("body=10&tunnel=0")
    >>> limits.head, limits.body, limits.tunnel
    (30.0, 10.0, None)
    """
    limits: dict[str, float | None] = {}
    for pair in text.split("&") if text else ():
        name, _, value = pair.partition("=")
        if name not in NAMES:
            raise HandlerError(f"the handler 'proxy' has no option {name!r}", hint=f"There are: {', '.join(NAMES)}.")
        try:
            seconds = float(value)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise HandlerError(
                f"proxy?{name}={value}: {value!r} is not a number of seconds", hint="Write: proxy?body=60"
            )
        limits[name] = seconds or None
    return ProxyLimits(**limits)
