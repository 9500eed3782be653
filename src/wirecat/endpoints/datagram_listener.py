"""A listener for datagrams: one socket for each family, the peers identified by the address of their datagrams.

A thread reads the sockets and sorts what arrives into a queue for each peer. A peer is new with its first datagram;
``accept`` returns a stream for it. The peer is removed when its stream is closed, and the stream ends after ``idle``
seconds without a datagram either way, because nothing else shows that the peer has gone.

Closing the listener admits no new peers. A socket stays open as long as it has streams. If it has a single stream, the
socket is connected to that peer: the kernel then refuses the datagrams of others, and reports ICMP errors of this peer.

A datagram whose source is the listener's own address is forged: an answer would return to the listener, for ever. It is
dropped.
"""

from __future__ import annotations

import errno
import socket
import sys
import threading

from wirecat.deadline import Deadline
from wirecat.endpoints.binding import is_local_host
from wirecat.endpoints.datagram_stream import LARGEST, datagram_failure
from wirecat.endpoints.idle import LISTENER_IDLE
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.peer_stream import PeerStream
from wirecat.endpoints.place import place_of
from wirecat.endpoints.waiting import ReadableWaiter

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable
    from typing import Any

    from wirecat.address import Address
    from wirecat.endpoints.peer_stream import DatagramReceiver
    from wirecat.endpoints.whole_datagrams import WholeDatagrams

OWN_ADDRESS = "it has this server's own address as its source, so it is forged"
# On Windows a wait for a lock cannot be interrupted by Ctrl-C, so it is cut into slices.
_SLICE = 0.2 if sys.platform == "win32" else 0.5
_BATCH = 64  # datagrams read from one socket before the other has its turn
_JOIN = 5.0  # seconds; the thread ends at once
_EVERY = ("0.0.0.0", "::")
_BUFFER = 1 << 22  # bytes that the kernel keeps for us, if it allows that many (socket(7), rmem_max)


class DatagramListener(Listener):
    """``reliable``: the kernel keeps what it has accepted (Unix domain sockets). A peer whose queue is full then holds up
    the senders, where UDP drops datagrams; ``dropped`` counts those.

    ``backlog`` is how many peers may wait to be accepted; of more the one that waits longest is dropped. ``on_ignored`` is
    called with the source and the reason for a datagram that is dropped because of its source.
    """

    __slots__ = (
        "_backlog", "_changed", "_fresh", "_idle", "_open_peer", "_over", "_peer_scheme", "_peers", "_pruned", "_reader", "_signal",
        "_tick", "dropped", "on_ignored", "reliable",
    )  # fmt: skip

    datagrams = True

    def __init__(
        self,
        sockets: list[_socket.socket],
        backlog: int,
        *,
        unlink: str = "",
        scheme: str = "udp",
        idle: float | None = LISTENER_IDLE,
        reliable: bool = False,
    ) -> None:
        super().__init__(sockets, unlink, scheme)
        for bound in sockets:
            _enlarge_buffer(bound)
        self.dropped = 0
        self.reliable = reliable
        self.on_ignored: Callable[[Address, str], None] = lambda peer, reason: None
        self._peer_scheme = scheme
        self._backlog = backlog
        self._idle = idle
        self._changed = threading.Condition()
        self._peers: dict[Any, PeerStream] = {}  # the one that has been silent longest first
        self._fresh: dict[Any, PeerStream] = {}  # not accepted yet, oldest first
        self._open_peer: Callable[[WholeDatagrams], DatagramReceiver | None] | None = None
        self._tick: Callable[[], float | None] = lambda: None
        self._over = False  # no more of anything
        self._pruned = False
        self._reader: threading.Thread | None = None
        self._signal: tuple[socket.socket, socket.socket] | None = None

    def accept(self, timeout: float | None = None) -> WholeDatagrams:
        """Wait for a new peer's first datagram, which the stream gives. Raises what Listener.accept raises."""
        deadline = Deadline(timeout)
        with self._changed:
            self._start()
            while True:
                if self._closed:
                    raise OSError(errno.EBADF, "the listener is closed")
                if self._fresh:
                    return self._open(self._fresh.pop(next(iter(self._fresh))))
                if deadline.expired:
                    raise TimeoutError(errno.ETIMEDOUT, f"no datagram came in {deadline.seconds:g} s")
                remaining = deadline.remaining()
                self._changed.wait(min(part for part in (remaining, _SLICE, 1e9) if part is not None))

    def watch(
        self, open_peer: Callable[[WholeDatagrams], DatagramReceiver | None], tick: Callable[[], float | None]
    ) -> None:
        """Begin to hand datagrams over as they arrive, in place of ``accept``: all of it in the thread that reads.

        ``open_peer`` is given the stream of a new peer; what it returns gets the peer's datagrams, the first one included
        (None: the peer is turned away). ``tick`` is called after each round and after the seconds that it returned (None:
        only when something arrives, or at ``wake``).
        """
        with self._changed:
            self._open_peer, self._tick = open_peer, tick
            self._start()

    def wake(self) -> None:
        """Have ``tick`` called soon. May be called by any thread."""
        self._wake_reader()

    def _open(self, peer: PeerStream) -> WholeDatagrams:
        """The stream that the user of a new peer gets."""
        return peer

    _takes_first_datagram = False
    """Whether ``_screen`` uses up the first datagram, so that the stream does not give it."""

    def _screen(self, bound: socket.socket, place: Any, data: bytes) -> Any:
        """What is known of a new peer by its first datagram (see PeerStream.screened); None: it is not let in."""
        return True

    def _start(self) -> None:
        if self._reader is None and not self._closed:
            self._signal = socket.socketpair()
            self._reader = threading.Thread(target=self._read, name="wirecat-datagrams", daemon=True)
            self._reader.start()

    def close(self) -> None:
        """Admit no new peers; streams that were accepted go on. Closing twice is harmless."""
        with self._changed:
            self._closed = True
            for peer in self._fresh.values():
                self._peers.pop(peer.key, None)
            self._fresh.clear()
            self._changed.notify_all()
            left = list(self._peers.values())
        if len(left) == 1:
            left[0].connect()
        if not left:
            self._end()
        else:
            self._wake_reader()

    def forget(self, peer: PeerStream) -> None:
        """Remove the peer of a stream that is closed or has ended; its next datagram makes a new peer."""
        with self._changed:
            if self._peers.get(peer.key) is peer:
                del self._peers[peer.key]
            self._fresh.pop(peer.key, None)
            last = self._closed and not self._peers
        if last:
            self._end()

    def _end(self) -> None:
        """End the thread, which closes the sockets."""
        self._over = True
        if self._reader is None:
            self._close_sockets()
            return
        self._wake_reader()
        if self._reader is not threading.current_thread():
            self._reader.join(_JOIN)

    def _wake_reader(self) -> None:
        if self._signal is None:
            return
        try:
            self._signal[1].send(b"x")
        except OSError:
            return  # the thread has ended

    def _close_sockets(self) -> None:
        self._remove_path()  # and not before: the peers of open streams send to it
        for bound in self.sockets:
            bound.close()
        if self._signal is not None:
            for end in self._signal:
                end.close()

    def _read(self) -> None:
        assert self._signal is not None
        signal = self._signal[0]
        waiter = ReadableWaiter([*self.sockets, signal])
        wait: float | None = None
        try:
            while not self._over:
                for ready in waiter.wait(wait):
                    if ready is signal:
                        signal.recv(64)
                    else:
                        self._read_from(ready)
                wait = self._tick()
                if self._closed and not self._pruned and not self._over:
                    waiter = ReadableWaiter([*self._close_unused(), signal])
        finally:
            self._close_sockets()

    def _close_unused(self) -> list[socket.socket]:
        """Close the sockets that have no peer once no new ones are admitted, so that the kernel refuses what comes; the
        others."""
        self._pruned = True
        with self._changed:
            families = {peer.key[0] for peer in self._peers.values()}
        used = [bound for bound in self.sockets if bound.family in families]
        for bound in self.sockets:
            if bound not in used:
                bound.close()
        return used

    def _read_from(self, bound: socket.socket) -> None:
        family = int(bound.family)  # once: Python makes an enum of it each time
        for _ in range(_BATCH):
            try:
                data, place = bound.recvfrom(LARGEST)
            except BlockingIOError:
                return
            except OSError as error:
                self._tell(bound, error)
                continue
            key = (family, place)
            with self._changed:
                peer = self._peers.pop(key, None)
                if peer is not None:
                    self._peers[key] = peer  # the last in the order of silence
            if peer is None:
                self._admit(bound, key, data)
            elif not peer.put(data, wait=self.reliable):
                self.dropped += 1

    def _admit(self, bound: socket.socket, key: Any, data: bytes) -> None:
        """Make a peer of the source of a first datagram, unless it is not let in."""
        place = key[1]
        if self._closed:
            return
        if self._is_own(bound, place):
            self.dropped += 1
            self.on_ignored(self._address_of(place), OWN_ADDRESS)
            return
        screened = self._screen(bound, place, data)
        if screened is None:
            return
        local = self._address_of(bound.getsockname())
        peer = PeerStream(self, bound, key, self._address_of(place), local, self._idle, screened)
        if self._open_peer is not None:
            with self._changed:
                self._peers[key] = peer
            self._hand_over(peer, data, self._open_peer)
            return
        if not self._takes_first_datagram:
            peer.put(data, wait=False)
        with self._changed:
            if self._closed:
                return
            if len(self._fresh) >= self._backlog:
                oldest = self._fresh.pop(next(iter(self._fresh)))
                del self._peers[oldest.key]
                self.dropped += 1
            self._peers[key] = self._fresh[key] = peer
            self._changed.notify()

    def _hand_over(
        self, peer: PeerStream, data: bytes, open_peer: Callable[[WholeDatagrams], DatagramReceiver | None]
    ) -> None:
        peer.receiver = receiver = open_peer(self._open(peer))
        if receiver is None:
            self.dropped += 1
            peer.close()
        elif not self._takes_first_datagram:
            receiver.datagram(data)

    def _address_of(self, place: Any) -> Address:
        return place_of(place, self._peer_scheme)

    def _is_own(self, bound: socket.socket, place: Any) -> bool:
        """Whether a datagram's source is the address that it was sent to."""
        own = bound.getsockname()
        if not isinstance(place, tuple):
            return bool(place) and place == own
        if place[1] != own[1]:
            return False
        return is_local_host(bound.family, place) if own[0] in _EVERY else place == own

    def _tell(self, bound: socket.socket, error: OSError) -> None:
        """Report an error to the peer that the socket is connected to. A shared socket's error concerns no peer that could
        be named (Windows: one of those that were sent to is not there)."""
        with self._changed:
            peers = [peer for peer in self._peers.values() if peer.connected and peer.key[0] == bound.family]
        for peer in peers:
            peer.fail(datagram_failure(error, peer.peer))


def _enlarge_buffer(bound: _socket.socket) -> None:
    """Let a burst of one sender leave room for the datagrams of others. The default keeps some 250 small ones."""
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    except OSError:
        return  # some systems refuse more than their limit, where Linux takes the limit
