"""Axes: round steps for their marks, and where a value lies."""

from __future__ import annotations

from math import ceil, floor, log10

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.views.report.sheet import Sheet


def round_step(whole: float, marks: int) -> float:
    """A step of 1, 2 or 5 times a power of ten with which at most about ``marks`` marks fit into ``whole``.

    >>> round_step(97, 5)
    20.0
    """
    if whole <= 0:
        return 1.0
    raw = whole / max(1, marks)
    power = 10.0 ** floor(log10(raw))
    for factor in (1, 2, 5, 10):
        if raw <= factor * power * 1.0001:
            return factor * power
    return 10 * power


def round_top(value: float, marks: int) -> float:
    """The first mark at or above ``value``."""
    step = round_step(value, marks)
    return max(step, ceil(value / step - 1e-9) * step)


def time_axis(
    sheet: Sheet,
    left: float,
    right: float,
    top: float,
    bottom: float,
    whole: int,
    tick: Callable[[float], str],
) -> None:
    """A grid of times below a picture: 0 is its left edge, ``whole`` nanoseconds its right one."""
    marks = max(3, int((right - left) / 110))
    step = round_step(whole, marks)
    count = int(whole / step + 1e-9) if whole > 0 else 0
    for number in range(count + 1):
        x = left + (right - left) * (number * step / whole if whole else 0)
        sheet.line(x, top, x, bottom, "thin grid")
        near_end = x > right - 24
        text = tick(number * step) if number else "0"
        sheet.text(x, bottom + 16, text, "soft small", anchor="end" if near_end else "middle" if number else "start")
    sheet.line(left, bottom, right, bottom, "thin axis")
