"""Waits for one descriptor and watches the partner of its stream in the same poll(2). See ``Stream.watch``.

A reset sets POLLERR and POLLHUP on a socket at once, also while bytes that came before it are unread. A FIN alone sets
neither: it is a half-close, and the peer still receives. So both are asked for with an empty mask, and only they wake
the wait. Other systems than Linux do not report them in that way: there the wait is cut into slices, and between two of
them the partner is asked for its pending error (SO_ERROR).
"""

from __future__ import annotations

import select
import sys

from wirecat.deadline import LONGEST_WAIT, Deadline
from wirecat.stream import PartnerLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.errors import NetworkError
    from wirecat.stream import Stream

POLL_TELLS_LOSS = sys.platform == "linux"
SLICE = 0.2  # seconds between two looks at the partner, where poll(2) does not tell of it
#: Seconds without room after which a send of a lost peer's last bytes is given up. They are delivered to a receiver that
#: takes them; one that has stopped reading must not hold the resources of a peer that has gone.
GRACE = 1.0
HUNG_UP = select.POLLHUP if hasattr(select, "poll") else 0
FAILED = select.POLLERR | select.POLLNVAL if hasattr(select, "poll") else 0


class WatchedWait:
    """Waits until ``descriptor`` is readable, or with ``sending`` writable, or ``wake`` is readable.

    ``partner`` is the stream that is watched meanwhile (None: none). For one thread at a time.
    """

    __slots__ = ("_descriptor", "_in_slices", "_lost", "_partner", "_poll", "_sending", "_wake", "_watched")

    def __init__(self, descriptor: int, partner: Stream | None, *, sending: bool, wake: int = -1) -> None:
        self._descriptor = descriptor
        self._wake = wake
        self._sending = sending
        self._partner = partner
        self._watched = -1 if partner is None else partner.loss_descriptor
        self._in_slices = not POLL_TELLS_LOSS
        self._lost: NetworkError | None = None  # the partner's failure, once a send has been granted its last time
        if hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLOUT if sending else select.POLLIN)
            if wake >= 0:
                self._poll.register(wake, select.POLLIN)
            if self._watched >= 0 and POLL_TELLS_LOSS:
                self._poll.register(self._watched, 0)

    def wait(self, seconds: float | None) -> list[int]:
        """Those of ``descriptor`` and ``wake`` that are ready; none after ``seconds`` (None: no limit).

        Raises PartnerLost: where bytes are waited for, as soon as the partner is lost, for nothing can be passed on to it;
        where room is waited for, when there is none within GRACE seconds after that.
        """
        if self._lost is not None:
            return self._wait_last(seconds)
        if self._watched < 0:
            return [descriptor for descriptor, _ in self._look(seconds)]
        if self._in_slices:
            return self._wait_in_slices(seconds)
        found = self._poll.poll(None if seconds is None else min(seconds, LONGEST_WAIT) * 1000)
        ready = [descriptor for descriptor, _ in found]
        if self._watched in ready:
            assert self._partner is not None
            events = dict(found)[self._watched]
            failed = bool(events & FAILED) or (bool(events & HUNG_UP) and self._partner.hangs_up_only_when_lost)
            self._see_loss(failed, len(found) > 1)
            return self.wait(seconds)  # it was an orderly end, or there is time left to send
        return ready

    def _look(self, seconds: float | None) -> list[tuple[int, int]]:
        if hasattr(select, "poll"):
            return self._poll.poll(None if seconds is None else min(seconds, LONGEST_WAIT) * 1000)
        read, write = ([], [self._descriptor]) if self._sending else ([self._descriptor], [])
        readable, writable, _ = select.select(read, write, [], seconds)
        return [(descriptor, 0) for descriptor in (*readable, *writable)]

    def _see_loss(self, failed: bool, readable: bool) -> None:
        """The partner's end is here. Raises PartnerLost where bytes are waited for."""
        assert self._partner is not None
        error = self._partner.loss(failed)
        if not self._in_slices:
            self._poll.unregister(self._watched)  # it would be reported over and over
        if not self._sending:
            self._watched = -1
            raise PartnerLost(error, readable=readable)
        if error is None:
            # Both halves have ended. In an orderly way, or another thread is about to be told the error, which is told once.
            self._in_slices = True
        self._lost = error

    def _wait_in_slices(self, seconds: float | None) -> list[int]:
        assert self._partner is not None
        deadline = Deadline(seconds)
        while True:
            found = self._look(deadline.within(SLICE))
            if self._partner.loss() is not None:
                self._see_loss(True, bool(found))
                return self.wait(deadline.remaining())
            if found or deadline.expired:
                return [descriptor for descriptor, _ in found]

    def _wait_last(self, seconds: float | None) -> list[int]:
        found = self._look(GRACE if seconds is None else min(seconds, GRACE))
        if not found and (seconds is None or seconds >= GRACE):
            raise PartnerLost(self._lost, sending=True)
        return [descriptor for descriptor, _ in found]


def check_partner(partner: Stream, events: int = 0) -> None:
    """Raise PartnerLost where the partner's peer is lost. ``events`` is what poll(2) has reported of it."""
    error = partner.loss(bool(events & FAILED))
    if events or error is not None:
        raise PartnerLost(error)
