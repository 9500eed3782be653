"""What one process saw of a swarm, and how the outcomes of several become one result."""

from __future__ import annotations

from wirecat.swarm.result import Latency, SwarmResult, WrongReply
from wirecat.swarm.tally import Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.address import Address
    from wirecat.swarm.histogram import Histogram
    from wirecat.swarm.options import SwarmOptions

_COUNTS = ("connected", "connects", "wrong", "spoilt", "due", "late", "unsent")
_HISTOGRAMS = ("latency", "waits")
_FIELDS = ("started", "loop", "connect_seconds", "seconds", "sent", "left_open", "interrupted", "processor_share")


class Outcome:
    """The counts of one process (``tally``), and what is told only at the end.

    ``started``: seconds since 1970. ``loop``: its event loop. ``connect_seconds``, ``seconds``, ``sent``,
    ``left_open``, ``interrupted``, ``processor_share``: as in SwarmResult.
    """

    __slots__ = ("tally", *_FIELDS)

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.started = 0.0
        self.loop = ""
        self.connect_seconds = 0.0
        self.seconds = 0.0
        self.sent = 0
        self.left_open = 0
        self.interrupted = False
        self.processor_share = 0.0

    def add(self, other: Outcome) -> None:
        """Add that of another process, which ran at the same time."""
        self.tally.add(other.tally)
        self.started = min(filter(None, (self.started, other.started)), default=0.0)
        self.loop = self.loop or other.loop
        self.connect_seconds = max(self.connect_seconds, other.connect_seconds)
        self.seconds = max(self.seconds, other.seconds)
        self.sent += other.sent
        self.left_open += other.left_open
        self.interrupted = self.interrupted or other.interrupted
        self.processor_share = max(self.processor_share, other.processor_share)

    def result(self, address: Address, options: SwarmOptions, lost: tuple[str, ...] = ()) -> SwarmResult:
        """The result of it all; ``lost`` tells of each worker that died."""
        tally = self.tally
        is_open = options.rate is not None
        return SwarmResult(
            address=address, options=options, started=self.started, loop=self.loop, connected=tally.connected,
            connect_seconds=self.connect_seconds, seconds=self.seconds if tally.connected else 0.0,
            messages_sent=self.sent, replies=tally.replies,
            replies_wrong=None if options.expect is None else tally.replies_wrong, first_wrong=tally.first_wrong,
            errors=tally.errors, latency_us=Latency.of(tally.all_waits()), left_open=self.left_open,
            interrupted=self.interrupted, connects=tally.connects if options.connects else None,
            due=tally.due if is_open else None, late=tally.late if is_open else None,
            unsent=tally.unsent if is_open else None, processor_share=self.processor_share, lost=lost,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """All of it in what JSON knows; ``from_json`` is the way back."""
        tally = self.tally
        plain: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        plain.update((name, getattr(tally, name)) for name in _COUNTS)
        plain.update((name, _histogram_as_json(getattr(tally, name))) for name in _HISTOGRAMS)
        plain["errors"] = tally.errors
        plain["first_wrong"] = None
        if tally.first_wrong is not None:
            fields = tally.first_wrong.fields()
            plain["first_wrong"] = {
                name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in fields.items()
            }
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Outcome:
        """From what ``as_json`` gave. Raises KeyError, ValueError or TypeError for anything else."""
        outcome = cls(Tally())
        tally = outcome.tally
        for name in _FIELDS:
            setattr(outcome, name, plain[name])
        for name in _COUNTS:
            setattr(tally, name, plain[name])
        for name in _HISTOGRAMS:
            counts = {int(bucket): count for bucket, count in plain[name]["counts"]}
            getattr(tally, name).add_counts(counts, plain[name]["maximum"])
        tally.errors = dict(plain["errors"])
        if plain["first_wrong"] is not None:
            fields: dict[str, Any] = {
                name: value.encode("latin-1") if isinstance(value, str) else value
                for name, value in plain["first_wrong"].items()
            }
            tally.first_wrong = WrongReply(**fields)
        return outcome


def _histogram_as_json(histogram: Histogram) -> dict[str, Any]:
    return {"counts": list(histogram.counts().items()), "maximum": histogram.maximum}
