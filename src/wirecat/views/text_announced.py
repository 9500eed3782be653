"""The servers that announce themselves on the local network, a line each: the name to connect to, and the addresses."""

from __future__ import annotations

from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.reach.browse import AnnouncedServer


def announced_text(servers: Sequence[AnnouncedServer]) -> str:
    """A line for each server. What it calls itself is any characters at all, and made printable."""
    names = [printable(server.host).replace(" ", "\\x20") for server in servers]
    width = max(map(len, names), default=0)
    return "".join(
        f"{name:<{width}}  {' '.join(map(str, server.addresses))}\n"
        for name, server in zip(names, servers, strict=True)
    )
