"""What every stream over another stream has: the names of its ends, and who watches whom."""

from __future__ import annotations

from wirecat.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.errors import NetworkError


class WrappedStream(Stream):
    """A stream over the stream ``inner``. A base class."""

    __slots__ = ("inner",)

    def __init__(self, inner: Stream) -> None:
        self.inner = inner

    @property
    def peer(self) -> Address:  # type: ignore[override]
        """The other end's address: that of the stream below."""
        return self.inner.peer

    @property
    def local(self) -> Address:  # type: ignore[override]
        """This end's address: that of the stream below."""
        return self.inner.local

    def set_receive_timeout(self, seconds: float | None) -> None:
        """See Stream."""
        self.inner.set_receive_timeout(seconds)

    def watch(self, partner: Stream | None, *, give_up: bool = True) -> None:
        """See Stream."""
        self.inner.watch(partner, give_up=give_up)

    @property
    def loss_descriptor(self) -> int:
        """See Stream."""
        return self.inner.loss_descriptor

    @property
    def hangs_up_only_when_lost(self) -> bool:  # type: ignore[override]
        """See Stream."""
        return self.inner.hangs_up_only_when_lost

    def loss(self, failed: bool = False) -> NetworkError | None:
        """See Stream."""
        return self.inner.loss(failed)

    def lose(self) -> None:
        """See Stream."""
        self.inner.lose()
