"""The result of a swarm as text for people: what was asked, what came, how the latency was taken."""

from __future__ import annotations

from wirecat.swarm.failures import KINDS
from wirecat.views.units import plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wirecat.swarm.result import SwarmResult, WrongReply

#: What the latency is and what it hides ("coordinated omission"): whoever waits for a reply sends nothing.
HOW_LATENCY_WAS_TAKEN = (
    "closed loop, from ready to send until the last byte was read here, other clients' turns included; "
    "a server that stalls is sent less meanwhile, so it looks better than it is"
)
_LABEL = 12


def swarm_text(result: SwarmResult) -> str:
    """The result in lines, each ended by a line feed. Plain ASCII, but for the address."""
    lines = [_heading(result), ""]
    for label, texts in _rows(result):
        for number, text in enumerate(texts):
            lines.append(f"  {label if number == 0 else '':<{_LABEL}}{text}".rstrip())
    if result.interrupted:
        lines += ["", "Ctrl-C ended it: these are the numbers up to then."]
    return "\n".join(lines) + "\n"


def _heading(result: SwarmResult) -> str:
    options = result.options
    if options.messages is None:
        what = f"each talking for {options.duration:g} s"
    else:
        what = f"{plural(options.messages, 'message')} each"
    checked = "every reply checked" if result.checked else "replies unchecked"
    return f"{result.address}: {plural(result.clients, 'client')} at once, {what}, {checked}"


def _rows(result: SwarmResult) -> Iterator[tuple[str, list[str]]]:
    connected = f"{result.connected} of {result.clients}"
    yield "connected", [f"{connected} in {result.connect_seconds:.3f} s"]
    yield "sent", [plural(result.messages_sent, "message")]
    yield "replies", [_replies(result)]
    if result.first_wrong is not None:
        yield "first wrong", _wrong(result.first_wrong)
    yield "errors", list(_errors(result))
    yield "time", [f"{result.seconds:.3f} s"]
    yield "rate", [f"{result.requests_per_second:.0f} requests/s"]
    yield "latency", [_latency(result), HOW_LATENCY_WAS_TAKEN]
    if result.left_open:
        left = plural(result.left_open, "connection")
        yield "left open", [f"{left}: the server had not closed its side 1 s after the client's end"]


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
    yield f"{plural(result.failed, 'client')} failed"
    width = max(map(len, result.errors))
    for kind, count in sorted(result.errors.items(), key=lambda item: -item[1]):
        yield f"{count:>6} {kind:<{width}}  {KINDS.get(kind, 'see errno(3)')}"


def _latency(result: SwarmResult) -> str:
    values = result.latency_us.fields()
    if result.latency_us.max is None:
        return "none: no reply that could be timed"
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
