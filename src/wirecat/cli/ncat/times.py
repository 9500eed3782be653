"""Times as ncat reads them: seconds, or with ``ms``, ``s``, ``m`` or ``h`` behind the number."""

from __future__ import annotations

LONGEST = 2147483  # seconds: what fits into 31 bits as milliseconds
FOREVER = float("inf")
_UNITS = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0))


def read_time(text: str) -> float | None:
    """Seconds; None for what is no time. Zero and what is too long are for the caller to refuse.

    >>> read_time("500ms"), read_time("2"), read_time("1.5m"), read_time("soon")
    (0.5, 2.0, 90.0, None)
    """
    factor = 1.0
    for unit, seconds in _UNITS:
        if text.endswith(unit):
            text, factor = text[: -len(unit)], seconds
            break
    # float() knows more than a number on a command line should: spaces, underscores, "nan", "infinity".
    if not text.isascii() or any(letter not in "0123456789.eE+-" for letter in text):
        return None
    try:
        value = float(text) * factor
    except ValueError:
        return None
    # No clock here is finer than a millisecond, and 0 would mean something else.
    return max(value, 0.001) if 0 < value < LONGEST else value


def milliseconds(seconds: float) -> int:
    """A time as ncat's messages tell it."""
    return round(seconds * 1000)
