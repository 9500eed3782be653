"""A connection: an open stream with its counters, its framing and its taps. This one blocks; AsyncConnection awaits."""

from __future__ import annotations

from wirecat.connection_state import ConnectionState as ConnectionState
from wirecat.errors import ConnectionBroken, ConnectionClosed, DeadlineExpired
from wirecat.options import require_number
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire.framing import LONGEST_LINE, ReceiveBuffer, decode, encode, split_ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any, Self

    from wirecat.address import Address
    from wirecat.endpoints.tls_facts import TlsFacts
    from wirecat.stream import Stream

READ_SIZE = 65536
FLUSH_TIME = 1.0  # seconds that a close grants the bytes that taps held back


class Connection(ConnectionState):
    """An open connection whose calls wait. Made by ``connect``, by a listener or by a server; a context manager.

    >>> import wirecat
    >>> with wirecat.serve("echo", "127.0.0.1:0") as server, wirecat.connect(server.address) as connection:
    ...     connection.send_line("Grüße")
    ...     connection.receive_line()
    'Grüße'
    """

    __slots__ = ("far", "idle_limit", "on_abort", "on_end", "stream")

    def __init__(self, stream: Stream, id: int = 0) -> None:
        super().__init__(id)
        self.stream = stream
        self.idle_limit: float | None = None  # set by a handler, as ``far`` is; see ConnectionState
        self.far: ConnectionState | None = None
        self.on_end: Callable[[], None] | None = None
        self.on_abort: Callable[[], None] | None = None  # for a handler that waits for something else than this stream

    @property
    def descriptor(self) -> int:
        """See ConnectionState."""
        return self.stream.loss_descriptor

    @property
    def peer(self) -> Address:
        """The other end's address."""
        return self.stream.peer

    @property
    def local(self) -> Address:
        """This end's address."""
        return self.stream.local

    @property
    def tls(self) -> TlsFacts | None:
        """What TLS has agreed on, and whose certificate the peer has shown; None without TLS, and before its handshake."""
        stream: Any = self.stream
        facts: TlsFacts | None = None
        while stream is not None and facts is None:
            facts, stream = getattr(stream, "tls", None), getattr(stream, "inner", None)
        return facts

    @property
    def timeout(self) -> float | None:
        """Seconds that one receive or send may wait before it raises DeadlineExpired; None (the default): for ever."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        require_number("timeout", seconds, least=0)
        if not self.closed:
            self.stream.set_timeout(seconds)
        self._timeout = seconds

    def receive(self, limit: int = READ_SIZE) -> bytes | None:
        """The next bytes as they come, at most ``limit``; None once the peer has ended its half.

        Raises ConnectionBroken (the peer broke off), DeadlineExpired (nothing within ``timeout``), ConnectionClosed
        (this side has closed).
        """
        if self.closed or limit < 1:
            self._require_receivable(limit)
        if self._buffer:
            return self._buffer.take(limit)
        data = self._next(limit)
        if data is not None and len(data) > limit:  # a tap has made more of it
            self._framed().feed(data[limit:])
            data = data[:limit]
        return data

    def put_back(self, data: bytes) -> None:
        """Let the next receive give ``data``, which has been received already (and counted)."""
        if data:
            self._framed().feed(data)

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """As ``receive``, into a buffer of the caller's; 0 at the end. Where there is no tap, nothing is copied."""
        self._require_receivable(len(buffer))
        if self._buffer or self.taps or self.ended:
            data = self.receive(len(buffer))
        else:
            count = self.stream.receive_into(buffer)
            self.bytes_received += count
            if count and not self.taps:
                return count
            data = self._at_end() if not count else self.tapped(RECEIVED, bytes(memoryview(buffer)[:count]))
            if data == b"":  # a tap that came while this waited keeps it to itself
                data = self.receive(len(buffer))
        if not data:
            return 0
        if len(data) > len(buffer):
            self._framed().feed(data[len(buffer) :])
            data = data[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)

    def _next(self, limit: int) -> bytes | None:
        """The next bytes off the stream, at most ``limit``, as the taps give them on (perhaps more); None at the end."""
        while not self.ended:
            try:
                data = self.stream.receive(limit)
            except ConnectionBroken:
                self.tapped_break()
                raise
            if not data and (self.stream.ended or not self.stream.keeps_boundaries):
                return self._at_end()
            self.bytes_received += len(data)
            if not self.taps:
                return data
            out = self.tapped(RECEIVED, data)
            if out or not data:  # an altering tap may keep a chunk to itself
                return out
        return None

    def _at_end(self) -> bytes | None:
        self.ended = True
        if self.on_end is not None:
            self.on_end()
        return (self.tapped_end(RECEIVED) if self.taps else b"") or None

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of ``data``, waiting as long as the peer takes. Raises ConnectionBroken (``unsent`` tells how much was
        not handed over), DeadlineExpired, ConnectionClosed."""
        self._require_sendable()
        if self.taps:
            given = len(data)
            data = self.tapped(SENT, bytes(data))
            if given and not data:  # a tap keeps it to itself
                return
        self._send(data)

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        try:
            self.stream.send(data)
        except (ConnectionBroken, DeadlineExpired) as error:
            if error.unsent is not None:
                self.bytes_sent += size - error.unsent
            if isinstance(error, ConnectionBroken):
                self.tapped_break()
            raise
        self.bytes_sent += size

    def half_close(self) -> None:
        """Tell the peer that nothing more will be sent; receiving goes on. Doing it twice is nothing.

        Raises UsageError where the scheme knows no half-close.
        """
        if self.half_closed or self.closed:
            return
        held = self.tapped_end(SENT) if self.taps else b""
        if held:
            self._send(held)
        self.half_closed = True
        self.stream.half_close()

    def close(self) -> None:
        """Close in an orderly way: what was sent arrives. Never raises; closing twice is nothing."""
        try:
            if self.taps and not (self.closed or self.half_closed or self.cut_reason):
                self._flush_taps()
        finally:
            told, self.closed = self.closed, True
            self.stream.close()
            if self.taps and not told:
                self.tapped_close()

    def _flush_taps(self) -> None:
        if not (held := self.tapped_end(SENT)):
            return
        try:
            self.stream.set_timeout(FLUSH_TIME)
            self._send(held)
        except (OSError, ConnectionClosed):
            return  # the peer takes no more, or has gone

    def abort(self) -> None:
        """See ConnectionState."""
        self.stream.abort()
        if self.on_abort is not None:
            self.on_abort()

    def lose(self) -> None:
        """See ConnectionState."""
        self.stream.lose()

    def reply_pieces(self, first: float = 10.0, silence: float = 0.2) -> Iterator[bytes]:
        """The pieces of a reply of a peer that marks no end: it may take ``first`` seconds to begin, and is over after
        ``silence`` seconds without a byte. Nothing at all came, or the peer has ended: ``ended`` tells which."""
        before = self.timeout
        self.timeout = first
        try:
            while (data := self.receive()) is not None:
                yield data
                self.timeout = silence
        except DeadlineExpired:
            return  # silence is how such a reply ends
        finally:
            self.timeout = before

    def receive_reply(self, first: float = 10.0, silence: float = 0.2) -> bytes | None:
        """The whole of a reply (see ``reply_pieces``): ``b""`` if none came in time, None if the peer has ended instead."""
        reply = b"".join(self.reply_pieces(first, silence))
        return None if not reply and self.ended else reply

    def receive_line(self, longest: int = LONGEST_LINE) -> str | None:
        """The next line without its end (LF or CRLF), as text; None after the last. A last line may lack its end.

        Bytes that are no UTF-8 come as surrogate escapes (PEP 383), so nothing is lost. Raises what ``receive``
        raises, and LineTooLong for a line of more than ``longest`` bytes.
        """
        self._require_receivable(1)
        buffer = self._framed()
        while True:
            line = buffer.take_line(longest)
            if line:
                return decode(split_ending(line)[0])
            if line is not None:
                return None
            self._feed(buffer)

    def lines(self, longest: int = LONGEST_LINE) -> Iterator[str]:
        """All lines until the peer's end, as ``receive_line`` gives them."""
        while (line := self.receive_line(longest)) is not None:
            yield line

    def send_line(self, text: str | bytes, ending: str | bytes = "\n") -> None:
        """Send ``text`` as UTF-8 and ``ending`` behind it, in one piece."""
        self.send(encode(text) + encode(ending))

    def receive_exactly(self, count: int) -> bytes:
        """Exactly ``count`` bytes. Raises IncompleteReceive (with ``partial``) if the peer ends before, and what
        ``receive`` raises."""
        self._require_receivable(1)
        buffer = self._framed()
        while (data := buffer.take_exactly(count)) is None:
            if self.ended:
                raise self._incomplete(count, buffer.take(count))
            self._feed(buffer)
        return data

    def _framed(self) -> ReceiveBuffer:
        if self._buffer is None:
            self._buffer = ReceiveBuffer()
        return self._buffer

    def _feed(self, buffer: ReceiveBuffer) -> None:
        data = self._next(READ_SIZE)
        buffer.feed_end() if data is None else buffer.feed(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
