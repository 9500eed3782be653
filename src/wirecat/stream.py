"""What an open end promises: the few operations that a connection, the pump and the engines use, and what each may raise.

Every scheme's endpoint gives a ``Stream``; wrappers (TLS, proxies) wrap one and are one. One thread may send while
another receives; ``abort`` may be called from any thread and wakes both.

Two streams that pass bytes on to each other are partners. While one of them waits, it watches the other (``watch``), so
that the loss of either peer is noticed at once, whichever of the two is waited for.
"""

from __future__ import annotations

from wirecat.errors import ConnectionBroken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.errors import NetworkError, WirecatError


class PartnerLost(Exception):
    """The peer of the partner was lost while a stream waited. Not for users: what joins two streams translates it.

    ``error`` is what the partner's ``receive`` would raise, None where its peer has closed both directions in an orderly
    way. ``sending`` tells that room was waited for: the partner is where the bytes came from. ``unsent`` is how many bytes
    of that send were left, where it is known. ``readable`` tells that bytes were waited for, and have come.
    """

    def __init__(self, error: NetworkError | None, *, sending: bool = False, readable: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.sending = sending
        self.readable = readable
        self.unsent: int | None = None

    def failure(self, peer: Address) -> NetworkError:
        """``error``, or where there is none that of a peer that has closed."""
        text = "the peer has closed the connection"
        return self.error or ConnectionBroken(text, address=peer, step="connection")


class Program:
    """A program that is the other end of a stream (``exec:COMMAND``)."""

    __slots__ = ()

    def wait_for_exit(self, seconds: float | None = None) -> int | None:
        """The program's exit code, as a shell has it: 128 + n where signal n ended it. None where it still runs after
        ``seconds`` (None: wait for ever)."""
        raise NotImplementedError


class Stream:
    """An open stream of bytes with two directions. A base class: each scheme's module has its own."""

    __slots__ = ()

    can_half_close = True
    """Whether the peer can be told that we send no more, while it goes on sending."""

    keeps_boundaries = False
    """Whether one receive gives exactly what one send sent (datagrams)."""

    ready = True
    """Whether its handshake, where it begins with one, is complete."""

    ended = False
    """Whether the peer's end of stream has been read. Where boundaries are kept, it tells an empty datagram from the end:
    both are 0 bytes."""

    peer: Address
    """The other end's address."""

    program: Program | None = None
    """The program that is the other end; None where the other end is no program."""

    local: Address
    """This end's address."""

    @property
    def buffered(self) -> bool:
        """Whether there may be bytes to receive although ``fileno`` does not poll readable (TLS reads ahead)."""
        return False

    def handshake(self) -> None:
        """Complete the handshake with which it begins, where it has one. Without this, the first use does it.

        Raises TlsError, CertificateError, NoAnswer; closes nothing.
        """

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """Wait for bytes, put them into ``buffer`` and return how many; 0 is the end of the stream.

        Raises ConnectionBroken (the peer broke off), DeadlineExpired (nothing within the timeout).
        """
        raise NotImplementedError

    def receive(self, limit: int) -> bytes:
        """As ``receive_into``, with the bytes (at most ``limit``) as a new object; ``b""`` is the end of the stream."""
        raise NotImplementedError

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of ``data``, waiting as long as the peer takes.

        Raises ConnectionBroken (the peer broke off), DeadlineExpired (not all was taken within the timeout).
        """
        raise NotImplementedError

    def half_close(self) -> None:
        """Tell the peer that nothing more will be sent (TCP: a FIN). Raises UsageError where the scheme cannot."""
        raise NotImplementedError

    def set_timeout(self, seconds: float | None) -> None:
        """How long one receive or send may wait from now on; None: for ever."""
        raise NotImplementedError

    def close(self) -> None:
        """Close in an orderly way, so that what was sent arrives. Never raises; closing twice is nothing."""
        raise NotImplementedError

    def abort(self) -> None:
        """End both directions now; a receive or send that waits in another thread returns. Does not close."""
        raise NotImplementedError

    def fileno(self) -> int:
        """The descriptor to receive from (and to send to, unless there are two); -1 where there is none."""
        raise NotImplementedError

    # For what joins two streams

    def watch(self, partner: Stream | None, *, give_up: bool = True) -> None:
        """While this stream waits from now on, watch ``partner`` too; None: no longer.

        A wait for bytes then raises PartnerLost as soon as the partner's peer is lost: nothing can be passed on to it. A
        wait for room does so some seconds after that, and with ``give_up`` False never. A half-close is no loss. Call it
        while no other thread uses the stream.
        """

    def set_receive_timeout(self, seconds: float | None) -> None:
        """As ``set_timeout``, for receives alone where the stream can tell them from sends."""
        self.set_timeout(seconds)

    @property
    def loss_descriptor(self) -> int:
        """The descriptor on which poll(2) reports POLLERR or POLLHUP when the peer is lost; -1 where there is none."""
        return -1

    hangs_up_only_when_lost = False
    """Whether POLLHUP on ``loss_descriptor`` proves a loss at this moment: TCP reports it when both halves have ended, so it
    does until this side has half-closed."""

    def loss(self, failed: bool = False) -> NetworkError | None:
        """The error of a peer that was lost, without waiting; None where it was not. ``failed`` tells that poll(2) has
        reported POLLERR."""
        return None

    def lose(self) -> None:
        """The peer no longer answers: end both directions now, as a failure of the network."""
        self.abort()

    # For the pump, which may move bytes past this object, inside the kernel

    raw_obstacle = "no plain descriptor"
    """In words: why bytes cannot pass it by."""

    def raw_source(self) -> int | str:
        """The descriptor that gives just what ``receive`` would; or in words why there is none, at this moment."""
        return self.raw_obstacle

    raw_source_waits = False
    """Whether reading the descriptor of ``raw_source`` waits for bytes, until ``abort`` at the latest."""

    def raw_sink(self) -> int | str:
        """The descriptor that takes just what ``send`` would be given; or in words why there is none, at this moment."""
        return self.raw_obstacle

    def raw_wait(self) -> bool:
        """Wait until ``raw_source`` has bytes, or its end; False where ``receive`` is to be asked what has happened.

        Raises DeadlineExpired.
        """
        return False

    def raw_wait_sink(self) -> bool:
        """Wait until ``raw_sink`` has room; False where ``send`` is to be tried in its place. For a descriptor that does
        not wait by itself."""
        return False

    def expect_bulk(self) -> None:
        """Much is being sent: whatever makes that faster, and costs where little is, may be done now."""

    def raw_receive_failure(self, error: OSError) -> WirecatError | None:
        """What ``receive`` would raise for what reading the descriptor failed with; None: ask ``receive``."""
        return None

    def raw_send_failure(self, error: OSError, unsent: int | None) -> WirecatError | None:
        """What ``send`` would raise for what writing to the descriptor failed with, when ``unsent`` bytes were left;
        None: ask ``send``."""
        return None


def join(left: Stream, right: Stream) -> None:
    """Let two streams watch each other until ``part``; ``left`` is the client's where one is.

    What a lost right side has sent is still delivered to ``left``, however slowly that reads: its own loss ends it. What a
    lost left side has sent is delivered to ``right`` only as long as that takes it (see ``Stream.watch``).
    """
    left.watch(right, give_up=False)
    right.watch(left)


def part(left: Stream, right: Stream) -> None:
    """Undo ``join``."""
    left.watch(None)
    right.watch(None)
