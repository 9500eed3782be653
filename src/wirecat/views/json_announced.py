"""The servers that announce themselves on the local network, as one JSON list."""

from __future__ import annotations

from wirecat.views.json_text import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.reach.browse import AnnouncedServer


def announced_json(servers: Sequence[AnnouncedServer]) -> str:
    """``[{"name", "host", "port", "scheme", "addresses": [{"host", "port"}]}]``, ending with a line feed.

    In ASCII alone: what a server calls itself may hold anything.
    """
    document = [
        {
            "name": server.name, "host": server.host, "port": server.port, "scheme": server.scheme,
            "addresses": [{"host": address.host, "port": address.port} for address in server.addresses],
        }
        for server in servers
    ]  # fmt: skip
    return json_text(document, indent=1) + "\n"
