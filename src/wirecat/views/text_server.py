"""A server's events as lines for people: who came, who closed first, after how long, how many bytes each way."""

from __future__ import annotations

import time

from wirecat.address import Address
from wirecat.events import Closed, Denied, Event, Failed, Listening, Missed, Opened, Stopped, Stopping, Withheld
from wirecat.taps.tap import RECEIVED
from wirecat.taps.transcript import NotShown, Said
from wirecat.views.text_addresses import listening_lines
from wirecat.views.units import plural, size, span
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class ServerLog:
    """Turns events into lines. ``verbose`` shows tracebacks of handlers.

    A client's bytes and a handler's error texts are made printable. ``clock`` turns a time (seconds since 1970) into what
    stands before a line: the local time of day, unless it is given.
    """

    def __init__(self, verbose: bool = False, *, clock: Callable[[float], str] | None = None) -> None:
        self._verbose = verbose
        self._clock = clock or LocalClock()

    def lines(self, event: Event) -> list[str]:
        """The lines for one event; none for one that people need not see."""
        kind = type(event)
        if kind is Opened or kind is Closed:  # what a busy server has most of, by the shortest way
            text = _opened(event) if kind is Opened else _closed(event)  # type: ignore[arg-type]
            return [f"{self._clock(event.time)} {text}"]
        texts = self._texts(event)
        if isinstance(event, Listening):
            return [f"wirecat: {text}" for text in texts]
        stamp = self._clock(event.time)
        return [f"{stamp} {text}" for text in texts]

    def _texts(self, event: Event) -> list[str]:
        if isinstance(event, Said):
            arrow = ">" if event.direction == RECEIVED else "<"
            more = "" if event.whole else f" … ({size(event.size)})"
            return [f"#{event.connection} {arrow} {event.text}{more}"]
        if isinstance(event, Denied):
            return [f"{_peer(event.peer)} denied: {event.reason}"]
        if isinstance(event, Withheld):
            what = f"{plural(event.count, 'answer')} withheld ({size(event.size)})"
            return [f"{_peer(event.peer)} {what}: beyond --udp-replies {event.limit}"]
        if isinstance(event, Failed):
            return self._failed(event)
        if isinstance(event, NotShown):
            return [f"{event.count} more not shown"]
        if isinstance(event, Missed):
            return [f"{plural(event.count, 'event')} not shown: this terminal is too slow"]
        if isinstance(event, Listening):
            limit = f"at most {plural(event.limit, 'connection')} at once ({event.limit_reason})"
            return [*listening_lines(event.addresses), limit]
        if isinstance(event, Stopping) and event.open_count:
            within = f"may end within {span(event.seconds)}; Ctrl-C again cuts" if event.seconds else "will be cut"
            return [f"stopping: {plural(event.open_count, 'connection')} {within}"]
        if isinstance(event, Stopped):
            stuck = f"; {plural(event.stuck, 'handler')} would not end" if event.stuck else ""
            return [f"stopped after {plural(event.served, 'connection')}{stuck}"]
        return []

    def _failed(self, event: Failed) -> list[str]:
        who = "" if event.connection is None else f"#{event.connection} "
        will_not_end = "will not end" in event.error
        what = "" if will_not_end or not event.traceback else "handler error: "
        shown = self._verbose or will_not_end  # a stack is the only way to find such a handler
        hint = "" if shown or not event.traceback else " (-v shows where)"
        lines = [f"{who}{what}{printable(event.error)}{hint}"]
        if shown:
            lines += [f"{who}  {printable(line)}" for line in event.traceback.splitlines()]
        return lines


class LocalClock:
    """A time (seconds since 1970) as the local time of day."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def __call__(self, seconds: float) -> str:
        second = int(seconds)
        if second != self._second:  # many lines are written in the same one
            self._second, self._text = second, time.strftime("%H:%M:%S", time.localtime(second))
        return self._text


def _peer(peer: Address) -> str:
    """Who it is. A program that uses a path may have bound a name of its own, with anything in it."""
    if peer.port is not None:
        return str(peer)
    if peer.scheme in ("unix", "unixgram") and not peer.path:
        return "a program of this PC"
    return printable(str(peer))


def _opened(event: Opened) -> str:
    return f"#{event.connection} {_peer(event.peer)} connected ({event.open_count} open)"


def _closed(event: Closed) -> str:
    by = "the client" if event.by == "peer" else "the server"
    reason = "" if event.reason == "end" else f" ({event.reason})"
    return (
        f"#{event.connection} {_peer(event.peer)} closed by {by}{reason} after {span(event.seconds)}: "
        f"{size(event.received)} in, {size(event.sent)} out ({event.open_count} open)"
    )
