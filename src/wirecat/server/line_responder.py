"""Line framing for a responder (``--framing line``): it is given whole lines, and its answers are lines."""

from __future__ import annotations

from wirecat.errors import LineTooLong
from wirecat.server.responder import Responder, answer_bytes
from wirecat.wire.framing import ReceiveBuffer, split_ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class LineResponder(Responder):
    """Gives ``inner`` each line without its end, and ends the answer as the line ended (LF, CRLF, or a last line
    without).

    Raises LineTooLong for a line of more than 64 KiB, once what came before it has been answered.
    """

    def __init__(self, inner: Responder) -> None:
        self._inner = inner
        self._buffer = ReceiveBuffer()
        self._too_long: LineTooLong | None = None
        self.streams = inner.streams
        self.more = inner.more  # type: ignore[method-assign]

    @property
    def finished(self) -> bool:  # type: ignore[override]
        # Asked after each answer has been sent: the answers to the lines before the long one are not lost.
        if self._too_long is not None:
            raise self._too_long
        return self._inner.finished

    def opened(self) -> bytes | None:
        return self._inner.opened()

    def receive(self, data: bytes) -> bytes | None:
        self._buffer.feed(data)
        return self._answers()

    def ended(self) -> bytes | None:
        self._buffer.feed_end()
        answers = self._answers() or b""  # of one line at most, without an end
        if self._too_long is not None:
            raise self._too_long
        if not self._inner.finished:
            answers += answer_bytes(self._inner.ended())
        return answers or None

    def _answers(self) -> bytes | None:
        answers = []
        while not self._inner.finished and (line := self._next_line()):
            text, ending = split_ending(line)
            answer = self._inner.receive(text)
            if answer is not None:
                answers.append(answer_bytes(answer) + ending)
        return b"".join(answers) or None

    def _next_line(self) -> bytes | None:
        try:
            return self._buffer.take_line()
        except LineTooLong as error:
            self._too_long = error
            return None


def in_lines(make: Callable[[], Responder]) -> Callable[[], Responder]:
    """A factory of responders that are given lines."""
    return lambda: LineResponder(make())
