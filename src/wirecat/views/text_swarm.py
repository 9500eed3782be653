"""The result of a swarm as text for people: what was asked, what came, how the latency was taken."""

from __future__ import annotations

from wirecat.swarm.failures import KINDS
from wirecat.views.units import plural, size
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wirecat.swarm.options import SwarmOptions
    from wirecat.swarm.result import SwarmResult, WrongReply

#: Of one processor; from here on it may be the swarm that is measured, and not the server.
BUSY = 0.9
_LABEL = 12


def how_latency_was_taken(options: SwarmOptions) -> str:
    """One line: from when to when, and what that hides ("coordinated omission")."""
    if options.connects:
        begin = "from setting out to connect" if options.rate is None else "from when each connect should have begun"
        return f"{begin} until it stood here; the server's system answers for it, and its program may accept much later"
    if options.rate is not None:
        return (
            "open loop, from when each request should have left until the last byte was read here, or until the end if "
            "none came; a server that stalls is charged for all it keeps waiting"
        )
    pauses = f" with pauses of {options.think:g} s" if options.think else ""
    return (
        f"closed loop{pauses}, from ready to send until the last byte was read here, other clients' turns included; "
        "a server that stalls is sent less meanwhile, so it looks better than it is"
    )


def swarm_text(result: SwarmResult) -> str:
    """The result in lines, each ended by a line feed. Plain ASCII, but for the address."""
    lines = [_heading(result), ""]
    for label, texts in _rows(result):
        for number, text in enumerate(texts):
            lines.append(f"  {label if number == 0 else '':<{_LABEL}}{text}".rstrip())
    if result.interrupted:
        lines += ["", "Ctrl-C ended it: these are the numbers up to then."]
    return "".join(f"{printable(line)}\n" for line in lines)


def _heading(result: SwarmResult) -> str:
    options = result.options
    verb = "connecting" if options.connects else "talking"
    if options.messages is None:
        what = f"each {verb} for {options.duration:g} s"
    else:
        what = f"{plural(options.messages, 'connect' if options.connects else 'message')} each"
    if options.size is not None or options.payload is not None:
        what += f" of {size(len(options.payload) if options.payload is not None else options.size or 0)}"
    if options.rate is not None:
        what += f", {options.rate:g} a second in all"
    checked = "" if options.connects else ", every reply checked" if result.checked else ", replies unchecked"
    spread = f" in {options.workers} processes" if options.workers > 1 else ""
    return f"{result.address}: {plural(result.clients, 'client')}{spread} at once, {what}{checked}"


def _rows(result: SwarmResult) -> Iterator[tuple[str, list[str]]]:
    if result.connects is not None:
        yield "connects", [f"{result.connects} made"]
    else:
        yield "connected", [f"{result.connected} of {result.clients} in {result.connect_seconds:.3f} s"]
        yield "sent", [plural(result.messages_sent, "message")]
        yield "replies", [_replies(result)]
    if result.due is not None:
        yield "in time", [_in_time(result)]
    if result.first_wrong is not None:
        yield "first wrong", _wrong(result.first_wrong)
    yield "errors", list(_errors(result))
    for text in result.lost:
        yield "lost", [f"{text}; what they did is in no number"]
    yield "time", [f"{result.seconds:.3f} s"]
    rate = result.connects_per_second
    yield "rate", [f"{result.requests_per_second:.0f} requests/s" if rate is None else f"{rate:.0f} connects/s"]
    yield "latency", [_latency(result), how_latency_was_taken(result.options)]
    if result.processor_share >= BUSY:
        more = "with --workers it may do more" if result.options.workers == 1 else "it may be the limit itself"
        yield "limit", [f"this program used {result.processor_share:.0%} of a processor: {more}"]
    if result.left_open:
        left = plural(result.left_open, "connection")
        yield "left open", [f"{left}: the server had not closed its side 1 s after the client's end"]


def _in_time(result: SwarmResult) -> str:
    """How many left when they should."""
    late, unsent, due = result.late or 0, result.unsent or 0, result.due or 0
    if not late and not unsent:
        return f"all {due}"
    missing = f", {unsent} never left" if unsent else ""
    return f"{due - late - unsent} of {due}; {late} left more than 1 ms late{missing}"


def _replies(result: SwarmResult) -> str:
    if result.replies_wrong is None:
        return f"{result.replies}, unchecked: whatever arrived was taken for the reply"
    return f"{result.replies_ok} right, {result.replies_wrong} wrong"


def _wrong(wrong: WrongReply) -> list[str]:
    """Where, and both beneath each other as Python writes bytes, so that no terminal obeys them."""
    cut = f" (shown from byte {wrong.shown_from} on)" if wrong.shown_from else ""
    return [
        f"client {wrong.client}, message {wrong.message}, at byte {wrong.offset} of the reply{cut}",
        f"expected {_quoted(wrong.expected)}",
        f"got      {_quoted(wrong.got)}",
    ]


def _quoted(data: bytes) -> str:
    return repr(data)[1:]


def _errors(result: SwarmResult) -> Iterator[str]:
    if not result.errors:
        yield "none"
        return
    yield f"{plural(result.failed, 'client' if result.connects is None else 'connect')} failed"
    width = max(map(len, result.errors))
    for kind, count in sorted(result.errors.items(), key=lambda item: -item[1]):
        yield f"{count:>6} {kind:<{width}}  {KINDS.get(kind, 'see errno(3)')}"


def _latency(result: SwarmResult) -> str:
    values = result.latency_us.fields()
    if result.latency_us.max is None:
        return "none: nothing that could be timed"
    return "   ".join(f"{_PERCENTILES[name]} {milliseconds(value)}" for name, value in values.items())


_PERCENTILES = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "max": "max"}


def milliseconds(microseconds: float) -> str:
    """A latency in ms, with about three figures that count.

    >>> milliseconds(432.1), milliseconds(12_345)
    ('0.432 ms', '12.3 ms')
    """
    value = microseconds / 1000
    places = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{places}f} ms"
