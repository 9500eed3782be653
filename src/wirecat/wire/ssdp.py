"""SSDP, by which a UPnP router is found (UPnP Device Architecture 1.1 section 1.3): what is asked, and the answers.

Anybody on the network can answer, and say anything. So what is read here is a hint: whoever uses a location has to see
that its host is the one that may be talked to.
"""

from __future__ import annotations

from wirecat.immutable import Immutable
from wirecat.wire.device_http import read_fields

PORT = 1900
GROUP = "239.255.255.250"

TARGETS = (
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "ssdp:all",
)
"""What to search for: a router in either version; everything, for routers that answer nothing else."""

_LONGEST_REPLY = 4096


class SearchReply(Immutable):
    """An answer to a search: ``location`` is the URL of the device's description, ``server`` what it calls itself."""

    __slots__ = ("location", "target", "server")

    location: str
    target: str
    server: str

    def __init__(self, location: str, target: str, server: str) -> None:
        self._set(location=location, target=target, server=server)


def search_request(target: str, host: str = GROUP) -> bytes:
    """A search for ``target``, to be sent to ``host``: the group, or one device (section 1.3.2)."""
    lines = ["M-SEARCH * HTTP/1.1", f"HOST: {host}:{PORT}", 'MAN: "ssdp:discover"', "MX: 1", f"ST: {target}"]
    return "\r\n".join([*lines, "", ""]).encode()


def read_reply(data: bytes) -> SearchReply:
    """One answer, which is one datagram. Raises ValueError for what is none, or has no location."""
    if len(data) > _LONGEST_REPLY:
        raise ValueError("an SSDP reply of more than 4 KiB")
    first, *lines = data.lstrip().decode("latin-1").splitlines() or [""]
    words = first.split()
    if len(words) < 2 or not words[0].upper().startswith("HTTP/") or words[1] != "200":
        raise ValueError("no SSDP reply")
    # The empty line at the end is missing with some; what is no field is left out.
    fields = read_fields(lines)
    if not fields.get("location"):
        raise ValueError("an SSDP reply without a location")
    return SearchReply(fields["location"], fields.get("st", ""), fields.get("server", ""))
