"""The option ``idle``: how long a datagram peer may be silent."""

from __future__ import annotations

from wirecat.errors import AddressError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address

LONGEST_IDLE = 1e9
LISTENER_IDLE = 60.0  # seconds of silence after which a listener takes a peer to have gone, unless its address says


def idle_of(address: Address, default: float | None) -> float | None:
    """The option ``idle``: seconds without a datagram after which it ends, None for never. Raises AddressError."""
    text = address.option("idle")
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_IDLE:
        hint = "Write idle=60; idle=0 is never."
        raise AddressError(f"{text!r} is no number of seconds", address=address.bare, hint=hint)
    return seconds or None
