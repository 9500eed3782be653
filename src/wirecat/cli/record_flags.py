"""The flags of ``--record FILE``, which the verbs that carry data share; what they ask for is in ``cli.recording``."""

from __future__ import annotations

from argparse import ArgumentTypeError

from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def add_record_flags(parser: ArgumentParser, *, always: bool = False) -> None:
    """Add the flags; ``always`` for the verb whose file is no option."""
    add = parser.add_argument
    if not always:
        add("--record", metavar="FILE", help="keep what goes over the wire (pcapng; see: wirecat show FILE)")
    add("--record-strict", action="store_true", help="slow the traffic rather than lose what a slow disk cannot take")
    add("--record-durable", action="store_true", help="have it on the disk before the power can fail (fsync)")
    add("--record-limit", type=size_in_bytes, metavar="SIZE", help="a file of at most SIZE bytes (100M, 2G)")
    add("--record-rotate", type=int, metavar="N", help="--record-limit: go on in FILE.2, …; keep the last N")


def size_in_bytes(text: str) -> int:
    """A number of bytes for argparse: ``4096``, ``100M``, ``2GiB``; units are powers of 1024."""
    lower = text.strip().lower().removesuffix("ib").removesuffix("b")
    digits, unit = (lower[:-1], lower[-1]) if lower[-1:].isalpha() else (lower, "")
    if unit not in _UNITS or not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        raise ArgumentTypeError(f"{text!r} is no size; write 100M or 2G")
    return int(digits) * _UNITS[unit]


def require_record(options: Any) -> None:
    """Raise UsageError for flags of a recording where there is none."""
    for name in ("strict", "durable", "limit", "rotate"):
        if getattr(options, f"record_{name}") and options.record is None:
            raise UsageError(f"--record-{name} is for a recording", hint="Name its file: --record FILE.")


def record_words(options: Any) -> list[str]:
    """The same flags as words of a command line, for a verb that does its work by another."""
    words: list[str] = []
    for name in ("record", "record_strict", "record_durable", "record_limit", "record_rotate"):
        value = getattr(options, name)
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif value not in (None, False):
            words.append(f"--{name.replace('_', '-')}={value}")
    return words
