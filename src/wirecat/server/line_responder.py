"""Line framing for a responder (``--framing line``): it is given whole lines, and its answers are lines."""

from __future__ import annotations

from wirecat.server.responder import Responder
from wirecat.wire.framing import ReceiveBuffer, split_ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class LineResponder(Responder):
    """Gives ``inner`` each line without its end, and ends the answer as the line ended (LF, CRLF, or a last line without).

    Raises LineTooLong for a line of more than 64 KiB.
    """

    def __init__(self, inner: Responder) -> None:
        self._inner = inner
        self._buffer = ReceiveBuffer()
        self.streams = inner.streams
        self.more = inner.more  # type: ignore[method-assign]

    @property
    def finished(self) -> bool:  # type: ignore[override]
        return self._inner.finished

    def opened(self) -> bytes | None:
        return self._inner.opened()

    def receive(self, data: bytes) -> bytes | None:
        self._buffer.feed(data)
        return self._answers()

    def ended(self) -> bytes | None:
        self._buffer.feed_end()
        answers = (self._answers() or b"") + (self._inner.ended() or b"")
        return answers or None

    def _answers(self) -> bytes | None:
        answers = []
        while not self._inner.finished and (line := self._buffer.take_line()):
            text, ending = split_ending(line)
            answer = self._inner.receive(text)
            if answer is not None:
                answers.append(answer + ending)
        return b"".join(answers) or None


def in_lines(make: Callable[[], Responder]) -> Callable[[], Responder]:
    """A factory of responders that are given lines."""
    return lambda: LineResponder(make())
