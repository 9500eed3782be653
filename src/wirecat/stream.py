"""What an open end promises: the few operations that a connection, the pump and the engines use, and what each may raise.

Every scheme's endpoint gives a ``Stream``; wrappers (TLS, proxies) wrap one and are one. One thread may send while
another receives; ``abort`` may be called from any thread and wakes both.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.errors import WirecatError


class Stream:
    """An open stream of bytes with two directions. A base class: each scheme's module has its own."""

    __slots__ = ()

    can_half_close = True
    """Whether the peer can be told that we send no more, while it goes on sending."""

    keeps_boundaries = False
    """Whether one receive gives exactly what one send sent (datagrams)."""

    ended = False
    """Whether the peer's end of stream has been read. Where boundaries are kept, it tells an empty datagram from the end:
    both are 0 bytes."""

    peer: Address
    """The other end's address."""

    local: Address
    """This end's address."""

    @property
    def buffered(self) -> bool:
        """Whether there may be bytes to receive although ``fileno`` does not poll readable (TLS reads ahead)."""
        return False

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
