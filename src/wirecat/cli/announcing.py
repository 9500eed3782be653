"""What ``--announce NAME`` does in a verb that listens: the name is taken, said, and taken back however the verb ends."""

from __future__ import annotations

from contextlib import contextmanager

from wirecat.reach.announce import announce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

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
