"""What ``--announce NAME`` does in a verb that listens: the name is taken, said, and taken back however the verb ends."""

from __future__ import annotations

import signal
from contextlib import contextmanager

from wirecat.reach.announce import announce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import NoReturn

    from wirecat.address import Address
    from wirecat.cli.environment import Environment
    from wirecat.reach.announce import Announcement


@contextmanager
def announced(name: str, addresses: tuple[Address, ...], environment: Environment) -> Iterator[Announcement]:
    """Announce a server on ``addresses`` for as long as the block lasts, and say so. Raises as ``announce`` does."""
    with announce(name, addresses) as announcement:
        first = addresses[0]
        scheme = "" if first.scheme == "tcp" else f"{first.scheme}://"
        place = f"{scheme}{announcement.name}:{first.port}"
        environment.note(f"announced on the local network: wirecat connect {place}")
        yield announcement


@contextmanager
def signals_unwind() -> Iterator[None]:
    """SIGTERM, and SIGHUP where there is one, end the block as an exception does: what was announced is taken back.

    The exit code is 128 and the signal's number. For a verb that catches no signals of its own.
    """

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    previous = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
