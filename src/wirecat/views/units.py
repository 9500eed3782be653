"""Sizes and times in words, for people."""

from __future__ import annotations


def size(count: int) -> str:
    """Bytes with a unit: ``999 B``, ``1.5 kB``, ``20 MB`` (powers of 1000, IEC 80000-13).

    >>> size(1500)
    '1.5 kB'
    """
    if count < 1000:
        return f"{count} B"
    value, unit, digits = scaled(count)
    return f"{value:.{digits}f} {unit}"


def scaled(count: int) -> tuple[float, str, int]:
    """1000 bytes and more as a number of a unit: the number, the unit, and the digits behind the point that it is told with."""
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007  it is what the loop is for
        value /= 1000
        if value < 999.5:
            break
    return value, unit, 1 if value < 9.95 else 0


def span(seconds: float) -> str:
    """A length of time: ``3 ms``, ``1.2 s``, ``2 min 5 s``, ``3 h 0 min``.

    >>> span(125)
    '2 min 5 s'
    """
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(count: int, noun: str) -> str:
    """``1 client``, ``2 clients``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
