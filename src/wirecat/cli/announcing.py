"""What ``--announce NAME`` does in a verb that listens: the server gets its name, or ends."""

from __future__ import annotations

from contextlib import contextmanager

from wirecat.reach.announce import announce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wirecat.cli.environment import Environment
    from wirecat.reach.announce import Announcement
    from wirecat.server.server import Server


@contextmanager
def announced(name: str, server: Server, environment: Environment) -> Iterator[Announcement]:
    """Announce ``server`` for as long as the block lasts, and say so.

    Where that cannot be, the server is stopped: whoever asked for the name counts on it. Raises as ``announce`` does.
    """
    try:
        announcement = announce(name, server.addresses)
    except BaseException:
        server.stop()
        raise
    with announcement:
        port = server.addresses[0].port
        environment.note(f"announced on the local network: wirecat connect {_scheme(server)}{announcement.name}:{port}")
        yield announcement


def _scheme(server: Server) -> str:
    scheme = server.addresses[0].scheme
    return "" if scheme == "tcp" else f"{scheme}://"
