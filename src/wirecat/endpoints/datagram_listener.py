"""A listener for datagrams: one socket, its peers told apart by where their datagrams come from.

A thread reads the socket (or the two of them) and sorts what comes into a queue for each peer. A peer is new with its
first datagram; ``accept`` gives a stream for it. It is gone when its stream is closed, and its stream ends after
``idle`` seconds without a datagram either way, as nothing else tells that it has gone.

Closing the listener lets no new peers in. The socket stays as long as there are streams, and if it is one only, the
kernel is told whom it belongs to: then it refuses others' datagrams, and tells when the peer's port is no longer there.
"""

from __future__ import annotations

import errno
import socket
import sys
import threading
from collections import deque

from wirecat.deadline import Deadline
from wirecat.endpoints.datagram_stream import LARGEST, datagram_failure
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.peer_stream import PeerStream
from wirecat.endpoints.socket_stream import place_of
from wirecat.endpoints.waiting import wait_readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IDLE = 60.0  # seconds
# On Windows a wait for a lock cannot be interrupted by Ctrl-C, so it is cut into slices.
_SLICE = 0.2 if sys.platform == "win32" else 0.5
_BATCH = 64  # datagrams read from one socket before the other has its turn
_JOIN = 5.0  # seconds; the thread ends at once


class DatagramListener(Listener):
    """``reliable`` tells that the kernel keeps what it has accepted (Unix domain sockets): then a peer whose queue is
    full holds up the senders, where UDP drops datagrams. ``dropped`` counts those.

    ``backlog`` is how many peers may wait to be accepted; datagrams of more are dropped.
    """

    __slots__ = (
        "_backlog", "_changed", "_fresh", "_idle", "_over", "_peers", "_reader", "_signal", "dropped", "reliable",
    )  # fmt: skip

    datagrams = True

    def __init__(
        self,
        sockets: list[socket.socket],
        backlog: int,
        *,
        unlink: str = "",
        scheme: str = "udp",
        idle: float | None = IDLE,
        reliable: bool = False,
    ) -> None:
        super().__init__(sockets, unlink, scheme)
        self.dropped = 0
        self.reliable = reliable
        self._backlog = backlog
        self._idle = idle
        self._changed = threading.Condition()
        self._peers: dict[Any, PeerStream] = {}
        self._fresh: deque[PeerStream] = deque()
        self._over = False  # no more of anything
        self._reader: threading.Thread | None = None
        self._signal: tuple[socket.socket, socket.socket] | None = None

    def accept(self, timeout: float | None = None) -> PeerStream:
        """Wait for a new peer's first datagram; the stream gives it. Raises what Listener.accept raises."""
        deadline = Deadline(timeout)
        with self._changed:
            self._start()
            while True:
                if self._closed:
                    raise OSError(errno.EBADF, "the listener is closed")
                if self._fresh:
                    return self._fresh.popleft()
                if deadline.expired:
                    raise TimeoutError(errno.ETIMEDOUT, f"nobody came in {deadline.seconds:g} s")
                remaining = deadline.remaining()
                self._changed.wait(min(part for part in (remaining, _SLICE, 1e9) if part is not None))

    def _start(self) -> None:
        if self._reader is None and not self._closed:
            self._signal = socket.socketpair()
            self._reader = threading.Thread(target=self._read, name="wirecat-datagrams", daemon=True)
            self._reader.start()

    def close(self) -> None:
        """Let no new peers in; streams that were given out go on. Closing twice is nothing."""
        with self._changed:
            self._closed = True
            for peer in self._fresh:
                self._peers.pop(peer.key, None)
            self._fresh.clear()
            self._changed.notify_all()
            left = list(self._peers.values())
        if len(left) == 1:
            left[0].connect()
        if not left:
            self._end()

    def forget(self, peer: PeerStream) -> None:
        """A stream is closed or has ended: its peer is a new one when it comes again."""
        with self._changed:
            if self._peers.get(peer.key) is peer:
                del self._peers[peer.key]
            last = self._closed and not self._peers
        if last:
            self._end()

    def _end(self) -> None:
        """Nobody is left: end the thread, which closes the sockets."""
        self._over = True
        if self._reader is None:
            self._close_sockets()
            return
        assert self._signal is not None
        try:
            self._signal[1].send(b"x")
        except OSError:
            return  # it has ended already
        if self._reader is not threading.current_thread():
            self._reader.join(_JOIN)

    def _close_sockets(self) -> None:
        self._remove_path()  # and not before: clients of those streams that are left send to it
        for bound in self.sockets:
            bound.close()
        if self._signal is not None:
            for end in self._signal:
                end.close()

    def _read(self) -> None:
        assert self._signal is not None
        try:
            while not self._over:
                for ready in wait_readable([*self.sockets, self._signal[0]], None):
                    if ready is not self._signal[0]:
                        self._read_from(ready)
        finally:
            self._close_sockets()

    def _read_from(self, bound: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                data, place = bound.recvfrom(LARGEST)
            except BlockingIOError:
                return
            except OSError as error:
                self._tell(bound, error)
                continue
            peer = self._peer_at(bound, place)
            if peer is None or not peer.put(data, wait=self.reliable):
                self.dropped += 1

    def _peer_at(self, bound: socket.socket, place: Any) -> PeerStream | None:
        """The peer that sends from there; None for a new one that is not let in."""
        key = (bound.family, place)
        with self._changed:
            peer = self._peers.get(key)
            if peer is None and not self._closed and len(self._fresh) < self._backlog:
                address = place_of(place, self.addresses[0].scheme)
                local = self.addresses[self.sockets.index(bound)]
                peer = PeerStream(self, bound, key, address, local, self._idle)
                self._peers[key] = peer
                self._fresh.append(peer)
                self._changed.notify()
            return peer

    def _tell(self, bound: socket.socket, error: OSError) -> None:
        """A socket that is connected to its only peer learns that nobody is there; others learn nothing of use
        (Windows: that one of all those who were sent to is not there)."""
        with self._changed:
            peers = [peer for peer in self._peers.values() if peer.connected and peer.key[0] == bound.family]
        for peer in peers:
            peer.fail(datagram_failure(error, peer.peer))
