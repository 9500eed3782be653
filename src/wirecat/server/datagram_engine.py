"""The engine for responders over datagrams: all peers are served in the thread that reads the socket.

A peer costs no thread, so senders that are forged cost little. When the table is full, the peer that has been silent longest
is removed for a new one. Nothing here waits for a peer: an answer that the kernel does not take at once is kept and sent
later. (With UDP that is rare; a Unix domain socket does it when its client does not read.)
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections import deque

from wirecat.endpoints.peer_stream import QUEUE, DatagramReceiver
from wirecat.errors import ConnectionBroken, DeadlineExpired, Refused, WirecatError
from wirecat.server.datagram_acceptor import EVICTED
from wirecat.server.datagram_responder import DatagramResponder
from wirecat.server.ending import ending_of, is_handlers_fault
from wirecat.server.once_a_second import OnceASecond
from wirecat.server.peer_connection import PeerConnection
from wirecat.taps.tap import RECEIVED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.connection import ConnectionState
    from wirecat.endpoints.whole_datagrams import WholeDatagrams
    from wirecat.server.handler import Handler
    from wirecat.server.registry import Registry
    from wirecat.server.reply_limit import ReplyLimit

SPENT = 1.0  # seconds without a datagram after which a peer is removed whose responder has said all
RETRY = 0.005  # seconds until an answer that was not taken is tried again
HANDSHAKE_STEP = 0.1  # seconds between looks at handshakes: what is to be sent again, and whose time is up
MOST_HANDSHAKES = 1000


class DatagramEngine:
    """Serves each peer that it is given by a responder. All but ``cut`` is to be called in the listener's thread.

    ``wake`` makes that thread call ``tick`` soon. ``on_admitted`` is called when a peer has been let in, which with DTLS is
    after its handshake.
    """

    name = "datagrams"
    shares_thread = True

    def __init__(self, handler: Handler, registry: Registry, replies: ReplyLimit, wake: Callable[[], None]) -> None:
        self.on_admitted: Callable[[], None] = lambda: None
        self._handler = handler
        self._registry = registry
        self.replies = replies
        self._wake = wake
        self._sessions: dict[ConnectionState, Session] = {}  # the one that has been silent longest first
        self._handshakes: dict[Session, None] = {}  # oldest first
        self._unsent: dict[Session, None] = {}
        self._to_end: deque[ConnectionState] = deque()
        self._failures = OnceASecond()
        self._next_step = 0.0
        self._thread: threading.Thread | None = None
        self._busy: ConnectionState | None = None  # whose responder is called just now

    def start(self) -> None:
        """Nothing to start: the listener has the thread."""

    def serve(self, stream: WholeDatagrams) -> Session:
        """What takes the datagrams of an admitted peer."""
        self._thread = threading.current_thread()
        session = Session(self, stream)
        if stream.ready:
            self._let_in(session)
            return session
        if len(self._handshakes) >= MOST_HANDSHAKES:
            self._give_up(next(iter(self._handshakes)), "too many handshakes at once")
        self._handshakes[session] = None
        session.datagram(b"")  # the first one has been used up by the listener
        return session

    def _let_in(self, session: Session) -> None:
        registry = self._registry
        if registry.full and self._sessions:
            oldest = next(iter(self._sessions))
            oldest.cut(EVICTED)
            self.end(self._sessions[oldest], None)
        connection = PeerConnection(session.stream, registry.next_id(), self.replies)
        session.connection = connection
        self._sessions[connection] = session
        registry.add(connection, threading.current_thread().name)
        self.on_admitted()
        try:
            session.responder = DatagramResponder(self._handler.call, connection.peer)
        except BaseException as error:
            self.end(session, error)

    # What comes

    def received(self, session: Session, datagram: bytes) -> None:
        """A datagram of a peer."""
        connection = session.connection
        try:
            pieces = session.stream.feed(datagram)
        except BaseException as error:
            self.broken(session, error)
            return
        if connection is None:
            if not session.stream.ready:
                return
            del self._handshakes[session]
            self._let_in(session)
            connection = session.connection
        if connection is None or connection.closed:
            return
        del self._sessions[connection]
        self._sessions[connection] = session
        self._busy = connection
        try:
            for piece in pieces:
                session.answer(connection, piece)
        except BaseException as error:
            self.end(session, error)
        finally:
            self._busy = None
        if session.stream.ended:
            self.end(session, None, peer_first=True)

    def broken(self, session: Session, error: BaseException) -> None:
        """A peer's DTLS failed, or an ICMP error came from it."""
        if session.connection is None:
            if not isinstance(error, WirecatError):
                self._registry.fail(None, error, traceback.format_exc())
            self._give_up(session, f"no TLS: {getattr(error, 'message', error)}")
        else:
            self.end(session, error)

    def _give_up(self, session: Session, reason: str) -> None:
        """End a handshake."""
        self._handshakes.pop(session, None)
        peer = session.stream.peer
        session.stream.close()
        if self._failures.now(f"{peer.host} {reason}"):
            self._registry.deny(peer, reason)

    # What is sent

    def send(self, session: Session, connection: PeerConnection, answer: bytes) -> None:
        """Send an answer, or keep it until it is taken. Raises ConnectionBroken and Refused: the peer has gone."""
        if session.unsent:
            self._keep(session, answer)
            return
        try:
            connection.send(answer)
        except DeadlineExpired:  # the kernel does not take it now
            self._keep(session, answer)
        except (ConnectionBroken, Refused):
            raise
        except (
            WirecatError
        ) as error:  # too large for a datagram, or a sender without a name: the next one may be answered
            if self._failures.now(f"{connection.peer} {error.message}"):
                self._registry.fail(connection, str(error), "")

    def _keep(self, session: Session, answer: bytes) -> None:
        if session.unsent_size + len(answer) > QUEUE:
            if self._failures.now(f"{session.stream.peer} full"):
                text = f"the peer does not read: an answer of {len(answer)} bytes was dropped"
                self._registry.fail(session.connection, text, "")
            return
        session.unsent.append(answer)
        session.unsent_size += len(answer)
        self._unsent[session] = None

    def _send_again(self) -> None:
        for session in list(self._unsent):
            connection = session.connection
            assert connection is not None
            try:
                while session.unsent:
                    session.stream.send(session.unsent[0])
                    size = len(session.unsent.popleft())
                    session.unsent_size -= size
                    connection.bytes_sent += size
            except DeadlineExpired:
                continue
            except BaseException as error:
                self.end(session, error)
                continue
            del self._unsent[session]

    # The end

    def cut(self, connection: ConnectionState, reason: str) -> None:
        """End a peer from outside, in any thread."""
        connection.cut(reason)
        self._to_end.append(connection)
        self._wake()

    def end(
        self, session: Session, failure: BaseException | None, *, peer_first: bool = False, reason: str = ""
    ) -> None:
        """Remove a peer, whose responder or stream has failed with ``failure`` (None: it ended in an orderly way)."""
        connection = session.connection
        if connection is None or self._sessions.pop(connection, None) is None:
            return
        self._unsent.pop(session, None)
        if failure is not None and is_handlers_fault(connection, failure):
            self._registry.fail(connection, failure, "".join(traceback.format_exception(failure)))
        by, why = ending_of(connection, failure, peer_first=peer_first)
        connection.close()
        self._registry.remove(connection, by, reason or why)

    def tick(self, now: float) -> float:
        """What is due; seconds until something is due again."""
        while self._to_end:
            connection = self._to_end.popleft()
            if connection in self._sessions:
                self.end(self._sessions[connection], None)
        if self._unsent:
            self._send_again()
        if self._handshakes and now >= self._next_step:
            self._next_step = now + HANDSHAKE_STEP
            for session in list(self._handshakes):
                try:
                    session.stream.repeat_handshake()
                except BaseException as error:
                    self.broken(session, error)
        return RETRY if self._unsent else HANDSHAKE_STEP if self._handshakes else 1.0

    def sweep(self, now: float) -> None:
        """Remove the peers that have been silent for too long."""
        for session in list(self._sessions.values()):
            silence = now - session.stream.active_at
            if session.stream.idle is not None and silence >= session.stream.idle:
                self.end(session, None, reason="idle")
            elif silence >= SPENT and session.responder is not None and session.responder.finished:
                self.end(session, None)

    def stop(self, timeout: float) -> bool:
        """Wait for the listener's thread, once its peers are removed; False if it still runs after ``timeout`` seconds."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            return not thread.is_alive()
        return True

    def stuck(self, connections: list[ConnectionState]) -> list[tuple[ConnectionState, str, str]]:
        """The peer whose responder does not return, with the reason and its stack."""
        busy, thread = self._busy, self._thread
        if busy is None or thread is None or busy not in connections:
            return []
        frame = sys._current_frames().get(thread.ident or 0)
        stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
        return [(busy, f"the handler {self._handler.name} will not end", stack)]


class Session(DatagramReceiver):
    """One peer: its stream, and from its admission on its connection and its responder."""

    __slots__ = ("_engine", "connection", "responder", "stream", "unsent", "unsent_size")

    def __init__(self, engine: DatagramEngine, stream: WholeDatagrams) -> None:
        self._engine = engine
        self.stream = stream
        self.connection: PeerConnection | None = None
        self.responder: DatagramResponder | None = None
        self.unsent: deque[bytes] = deque()
        self.unsent_size = 0
        stream.set_timeout(0)

    def datagram(self, data: bytes) -> None:
        """See DatagramReceiver."""
        self._engine.received(self, data)

    def failed(self, error: WirecatError) -> None:
        """See DatagramReceiver."""
        self._engine.broken(self, error)

    def answer(self, connection: PeerConnection, data: bytes) -> None:
        """Answer a datagram. Raises what the responder raises, and what the engine's ``send`` does."""
        connection.bytes_received += len(data)
        if connection.taps:
            out = connection.tapped(RECEIVED, data)
            if data and not out:  # a tap keeps it to itself
                return
            data = out
        assert self.responder is not None
        answer = self.responder.answer(data)
        if answer is not None:
            self._engine.send(self, connection, answer)
