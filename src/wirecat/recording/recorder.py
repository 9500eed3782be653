"""The recorder: makes packets of what its taps see, and hands them to the file. Safe from any thread.

What a tap shows is made into packets at once, by the thread that moves the bytes (some microseconds a chunk); writing is
another thread's. What the file does not take is counted, leaves a hole in the numbers of its connection, and is told in
the file as soon as that takes something again.
"""

from __future__ import annotations

import os
import threading
from time import monotonic, time_ns

from wirecat.errors import UsageError
from wirecat.recording.beginning import beginning, comment_on, part_path
from wirecat.recording.conversation import Conversation
from wirecat.recording.ends import ends_of, stand_ins
from wirecat.recording.frames import address_fields, encode_frame
from wirecat.recording.sink import Sink
from wirecat.recording.snapshot import row_fields
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire import pcapng
from wirecat.wire.segment import TCP, UDP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any, Self

    from wirecat.address import Address
    from wirecat.system.socket_row import SocketRow

    Pieces = list[bytes | memoryview]

LEAST_LIMIT = 1 << 16  # bytes of a file: less would hold no more than its own beginning
_RESERVE = 1 << 13  # bytes of a file that are kept for its end
_MOST_LEFT_OUT = 100_000
_CLOSED = "it is closed"
_DATAGRAMS = ("udp", "dtls", "unixgram")


class Track:
    """A connection that is being recorded: its number, its packets, and what was said when it opened."""

    __slots__ = ("by_us", "conversation", "fields", "number")

    def __init__(self, number: int, conversation: Conversation, fields: dict[str, Any], by_us: bool) -> None:
        self.number = number
        self.conversation = conversation
        self.fields = fields
        self.by_us = by_us


class Recorder:
    """Records into ``path`` until ``close``; a context manager. Raises UsageError where it cannot be opened.

    ``verb`` is what records. ``strict``: rather hold up the traffic than lose any of it. ``durable``: fsync(2) as well,
    for when the power fails. ``limit``: bytes that a file may have; then the recording ends, or with ``rotate`` goes on in
    another file (``talk.2.pcapng`` after ``talk.pcapng``), of which the last ``rotate`` are kept. ``on_trouble(text)`` is
    called once, in a thread of its own, when something was lost for the first time.

    ``chunks`` and ``bytes`` were taken in, ``lost_chunks`` and ``lost_bytes`` were not kept.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        verb: str = "",
        strict: bool = False,
        durable: bool = False,
        limit: int | None = None,
        rotate: int | None = None,
        on_trouble: Callable[[str], object] | None = None,
    ) -> None:
        if limit is not None and limit < LEAST_LIMIT:
            raise UsageError(f"a limit of {limit} bytes is too little: at least {LEAST_LIMIT}", step="record")
        if rotate is not None and (limit is None or rotate < 1):
            hint = "Say how large a file may be: --record-limit."
            raise UsageError("to rotate, a file needs a limit, and at least one must be kept", step="record", hint=hint)
        self.path = os.fspath(path)
        self.chunks = self.bytes = 0
        self.lost_chunks = self.lost_bytes = 0
        self.on_opened: Callable[[], object] | None = None  # called for each new connection; must not wait
        self.on_trouble: Callable[[str], object] | None = on_trouble
        self._verb = verb
        self._strict = strict
        self._limit = limit
        self._rotate = rotate
        self._lock = threading.Lock()
        self._offset_ns = time_ns() - int(monotonic() * 1e9)
        self._last_ns = 0
        self._tracks: dict[int, Track] = {}
        self._ends_in_use: set[object] = set()
        self._last_number = 0
        self._left_out: set[int] = set()  # numbers below that nobody has
        self._part = 1
        self._size = 0  # bytes put into the present file
        self._unsaid = [0, 0]  # chunks and bytes lost that the file has not been told of
        self._restate = False  # whether frames may have been lost
        self._over = ""  # why nothing more is recorded
        self._uid = os.urandom(8).hex()
        head = beginning(self._time(), uid=self._uid, part=1, verb=verb)
        self._sink = Sink(self.path, durable=durable, on_lost=self._lost_on_the_way, head=head, keep=rotate)
        self._size = sum(map(len, head))

    @property
    def failure(self) -> str:
        """Why the file takes nothing at present, or nothing more; empty where all is well."""
        return self.disk_failure or ("" if self._over == _CLOSED else self._over)

    @property
    def disk_failure(self) -> str:
        """Why the disk takes nothing at present; empty where it does."""
        failure = self._sink.failure
        return "" if failure is None else failure.strerror or str(failure)

    def open(self, local: Address, peer: Address, *, kind: str, number: int = 0, **fields: Any) -> Track:
        """A connection is there: ``local`` and ``peer`` are its addresses, ``kind`` what this program is to it
        (``client``, ``server``, ``proxy``), ``number`` the one it would like to have, ``fields`` what else is known."""
        with self._lock:
            self._fits(1024)
            number = self._free_number(number)
            by_us = kind == "client"
            local_end, peer_end = self._free_ends(local, peer, number, by_us)
            datagrams = peer.scheme in _DATAGRAMS or fields.get("protocol") in _DATAGRAMS
            # Sequence numbers that differ: where ports are used again, another beginning tells the connections apart.
            first = number * 0x9E3779B1 & 0xFFFFFFFF
            conversation = Conversation(local_end, peer_end, by_us=by_us, datagrams=datagrams, first=first)
            ends = (*local_end, *peer_end) if by_us else (*peer_end, *local_end)
            packets = [UDP if datagrams else TCP, ends[0].hex(), ends[1], ends[2].hex(), ends[3]]
            told = {
                "id": number, "protocol": peer.scheme, "kind": kind, "recorded_by": "client" if by_us else "server",
                "local": address_fields(local), "peer": address_fields(peer), "packets": packets, **fields,
            }  # fmt: skip
            track = Track(number, conversation, told, by_us)
            self._tracks[number] = track
            now = self._time()
            pieces: Pieces = [self._frame("opened", now, **told)]
            self._put(pieces + conversation.handshake(now, comment_on(told)))
        if (tell := self.on_opened) is not None:
            tell()
        return track

    def chunk(self, track: Track, direction: str, data: bytes, when: float) -> None:
        """Bytes went by on it; ``when`` is time.monotonic()."""
        size = len(data)
        if not size and not track.conversation.datagrams:
            return
        if self._strict:
            self._sink.wait_for_room()
        with self._lock:
            room = self._sink.has_room or self._strict
            if not room or not self._fits(size + size // 512 + 256):
                track.conversation.skip(direction, size)
                self._count_lost(1, size)
                return
            now = self._time(when)
            self._say_what_was_lost(now)
            self.chunks += 1
            self.bytes += size
            self._put(track.conversation.chunk(now, direction, data), 1, size)

    def end(self, track: Track, direction: str) -> None:
        """A direction has ended."""
        with self._lock:
            self._put(track.conversation.end(self._time(), direction))

    def broke(self, track: Track) -> None:
        """The peer broke off."""
        with self._lock:
            self._put(track.conversation.reset(self._time(), RECEIVED))

    def close_track(self, track: Track, by: str, reason: str, **fields: Any) -> None:
        """A connection is over: ``by`` is ``local``, ``peer`` or empty, ``reason`` how."""
        with self._lock:
            if self._tracks.pop(track.number, None) is None:
                return
            self._ends_in_use.discard(_pair(track.conversation))
            self._fits(1024)
            now = self._time()
            pieces: Pieces = []
            talk = track.conversation
            if reason in ("reset", "lost"):
                pieces += talk.reset(now, RECEIVED if by == "peer" else SENT)
            elif by == "peer":
                pieces += talk.end(now, RECEIVED)
            pieces += talk.end(now, SENT)
            sides = {"local": "client", "peer": "server"} if track.by_us else {"local": "server", "peer": "client"}
            pieces.append(self._frame("closed", now, id=track.number, by=sides.get(by, ""), reason=reason, **fields))
            self._put(pieces)

    def detach(self, track: Track) -> None:
        """It goes on, and is recorded no more."""
        with self._lock:
            if self._tracks.pop(track.number, None) is not None:
                self._ends_in_use.discard(_pair(track.conversation))
                self._put([self._frame("detached", self._time(), id=track.number)])

    def snapshot(self, rows: Iterable[SocketRow]) -> None:
        """Keep the socket table as it stands."""
        self._say("sockets", rows=row_fields(rows))

    def note(self, text: str) -> None:
        """Keep a text."""
        self._say("note", text=text)

    def close(self) -> None:
        """Write what is left, and close the file."""
        with self._lock:
            if not self._over:
                now = self._time()
                self._say_what_was_lost(now)
                if not self._over:
                    self._put([self._frame("ended", now, lost_chunks=self.lost_chunks, lost_bytes=self.lost_bytes)])
                self._over = self._over or _CLOSED
        self._sink.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _say(self, frame: str, **fields: Any) -> None:
        with self._lock:
            made = self._frame(frame, self._time(), **fields)
            if self._fits(len(made)):
                self._put([made])

    def _time(self, when: float | None = None) -> int:
        """The time, never before one that was given already: it goes by a clock that is never set."""
        now = self._offset_ns + int((monotonic() if when is None else when) * 1e9)
        self._last_ns = now = max(now, self._last_ns)
        return now

    def _frame(self, frame: str, now: int, **fields: Any) -> bytes:
        return pcapng.statistics(now, encode_frame(frame, now, **fields))

    def _free_number(self, wanted: int) -> int:
        """The number that is wanted, if nobody has had it: those of a server may come in another order."""
        last = self._last_number
        if 0 < wanted <= last and wanted in self._left_out:
            self._left_out.discard(wanted)
            return wanted
        number = wanted if wanted > last else last + 1
        if len(self._left_out) + number - last > _MOST_LEFT_OUT:
            self._left_out.clear()
        else:
            self._left_out.update(range(last + 1, number))
        self._last_number = number
        return number

    def _free_ends(
        self, local: Address, peer: Address, number: int, by_us: bool
    ) -> tuple[tuple[bytes, int], tuple[bytes, int]]:
        """Its ends, or others where it has none, or where another connection goes by the same (as the two ends of one
        do that are recorded both)."""
        ends = ends_of(local, peer)
        if ends is None or frozenset(ends) in self._ends_in_use:
            ends = stand_ins(number, by_us=by_us)
        self._ends_in_use.add(frozenset(ends))
        return ends

    def _put(self, pieces: Pieces, chunks: int = 0, data: int = 0) -> None:
        """Hand on; whatever is not taken is lost. With the lock held."""
        if self._over or not pieces:
            return
        self._size += sum(map(len, pieces))
        if not self._sink.put(pieces, chunks, data):
            self._restate = True
            self._count_lost(chunks, data)

    def _fits(self, size: int) -> bool:
        """Whether about ``size`` bytes more may be put, perhaps in the next file. Before they are made: what a file begins
        with says where the numbers stand."""
        if self._over:
            return False
        return self._limit is None or self._size + size <= self._limit - _RESERVE or self._next_file()

    def _next_file(self) -> bool:
        """The file is full: go on in another, or end it here."""
        now = self._time()
        if self._rotate is None:
            text = f"the limit of {self._limit} bytes is reached"
            ending = {"lost_chunks": self.lost_chunks, "lost_bytes": self.lost_bytes}
            self._sink.put([self._frame("note", now, text=text), self._frame("ended", now, **ending)])
            self._over = text
            return False
        self._part += 1
        self._sink.put([self._frame("ended", now, part=self._part - 1)])
        head = beginning(now, uid=self._uid, part=self._part, verb=self._verb)
        self._sink.switch(part_path(self.path, self._part), head)
        self._size = sum(map(len, head))
        self._put(self._restated(now))
        return True

    def _restated(self, now: int) -> Pieces:
        """What is open, for whoever has not seen it open."""
        rows: Pieces = []
        for track in self._tracks.values():
            sent, received = track.conversation.sequence_numbers
            numbers = [sent, received] if track.by_us else [received, sent]
            rows.append(self._frame("opened", now, **track.fields, continued=True, numbers=numbers))
        return rows

    def _say_what_was_lost(self, now: int) -> None:
        chunks, data = self._unsaid
        if chunks or self._restate:
            self._unsaid = [0, 0]
            text = f"{chunks} chunks ({data} bytes) could not be kept"
            rows = self._restated(now) if self._restate else []
            self._restate = False
            if chunks:
                rows.append(self._frame("lost", now, chunks=chunks, bytes=data, text=text))
                rows.append(pcapng.statistics(now, dropped=self.lost_chunks))
            self._put(rows)

    def _count_lost(self, chunks: int, data: int) -> None:
        if not chunks:
            return
        first = not self.lost_chunks
        self.lost_chunks += chunks
        self.lost_bytes += data
        self._unsaid[0] += chunks
        self._unsaid[1] += data
        if first:
            reason = self.failure or "the disk is too slow"
            self._tell(f"{self.path}: {reason}; what cannot be kept is counted, the traffic goes on")

    def _lost_on_the_way(self, chunks: int, data: int) -> None:
        """The writing thread could not write what it had been given."""
        with self._lock:
            self._restate = True
            self.chunks -= chunks
            self.bytes -= data
            self._count_lost(chunks, data)

    def _tell(self, text: str) -> None:
        """Whoever is told may take his time, and nobody waits for him."""
        if self.on_trouble is not None:
            tell, self.on_trouble = self.on_trouble, None
            threading.Thread(target=tell, args=(text,), name="wirecat-recording-trouble", daemon=True).start()


def _pair(conversation: Conversation) -> object:
    return frozenset((conversation.local, conversation.peer))
