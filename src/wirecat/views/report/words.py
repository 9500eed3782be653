"""What a report says, in English or in German: numbers, times and sentences."""

from __future__ import annotations

import time

from wirecat.views.report.words_de import DE
from wirecat.views.report.words_en import EN
from wirecat.views.units import scaled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": EN, "de": DE}


class Words:
    """The words of one language. ``zone`` is how times are shown: local (None) or ``"UTC"``.

    >>> Words("de").number(1234.5, 1)
    '1.234,5'
    """

    __slots__ = ("_table", "language", "zone")

    def __init__(self, language: str = "en", zone: str | None = None) -> None:
        self.language = language
        self.zone = zone
        self._table = LANGUAGES[language]

    def __call__(self, name: str, **values: object) -> str:
        """The sentence or word of that name. Raises KeyError for one that there is not."""
        return self._table[name].format(**values) if values else self._table[name]

    def heading(self, name: str) -> str:
        """A word as the head of a column, with a capital letter."""
        return self(name)[:1].upper() + self(name)[1:]

    def count(self, name: str, count: int, **values: object) -> str:
        """As a call, with ``{count}`` and in the singular (``name_1``) for one."""
        return self(f"{name}_1" if count == 1 else name, count=self.number(count), **values)

    def number(self, value: float, digits: int = 0) -> str:
        """With separators: ``1,234.5``."""
        text = f"{value:,.{digits}f}"
        return text.translate({ord(","): ".", ord("."): ","}) if self.language == "de" else text

    def size(self, count: int) -> str:
        """Bytes with a unit, powers of 1000 (IEC 80000-13): ``999 B``, ``1.5 kB``."""
        if count < 1000:
            return f"{count} B"
        value, unit, digits = scaled(count)
        return f"{self.number(value, digits)} {unit}"

    def span(self, nanoseconds: float) -> str:
        """A length of time in three figures: ``1.25 ms``, ``12 s``, ``2 min 5 s``."""
        seconds = nanoseconds / 1e9
        if seconds >= 59.95:
            whole = round(seconds)
            if whole < 3600:
                return f"{whole // 60} min {whole % 60} s"
            return f"{whole // 3600} h {whole % 3600 // 60} min"
        for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
            value = seconds * factor
            if value >= 0.9995:
                return f"{self.number(value, 2 if value < 9.995 else 1 if value < 99.95 else 0)} {unit}"
        return f"{nanoseconds:.0f} ns"

    def tick(self, nanoseconds: float) -> str:
        """A length of time for an axis, without needless noughts: ``2 s``."""
        value, _, unit = self.span(nanoseconds).partition(" ")
        point = "," if self.language == "de" else "."
        return f"{value.rstrip('0').rstrip(point) if point in value else value} {unit}"

    def offset(self, nanoseconds: int) -> str:
        """Seconds since a beginning, to the microsecond: ``0.000230 s``."""
        return f"{self.number(nanoseconds / 1e9, 6)} s"

    def clock(self, nanoseconds: int) -> str:
        """The time of day, to the second."""
        return time.strftime("%H:%M:%S", self._parts(nanoseconds))

    def exact_clock(self, nanoseconds: int) -> str:
        """The time of day, to the microsecond."""
        point = "," if self.language == "de" else "."
        return f"{self.clock(nanoseconds)}{point}{nanoseconds % 1_000_000_000 // 1000:06d}"

    def date(self, nanoseconds: int) -> str:
        """The day: ``22 November 2026``."""
        parts = self._parts(nanoseconds)
        month = self("months").split()[parts.tm_mon - 1]
        return self("date", day=parts.tm_mday, month=month, year=parts.tm_year)

    def stamp(self, nanoseconds: int) -> str:
        """Day, time and time zone, for headings."""
        parts = self._parts(nanoseconds)
        zone = "UTC" if self.zone == "UTC" else time.strftime("%Z", parts)
        return f"{self.date(nanoseconds)}, {self.clock(nanoseconds)} {zone}".rstrip()

    def _parts(self, nanoseconds: int) -> time.struct_time:
        seconds = nanoseconds // 1_000_000_000
        try:
            return time.gmtime(seconds) if self.zone == "UTC" else time.localtime(seconds)
        except (OverflowError, OSError, ValueError):  # a recording may claim any time
            return time.gmtime(0)
