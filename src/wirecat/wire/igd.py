"""UPnP's Internet Gateway Device, versions 1 and 2: its description, and calls of its actions (SOAP 1.1).

The description names services and where to call them. A call is an HTTP POST of a small document; its answer is
another, or a fault with a number (UPnP Device Architecture 1.1 section 3.2).
"""

from __future__ import annotations

from wirecat.immutable import Immutable
from wirecat.wire.authority import format_authority, ipv4_octets, ipv6_octets, parse_authority
from wirecat.wire.xml_tree import read_xml

CONNECTION_SERVICES = (
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
)
"""The services that map ports, the best first."""
FIREWALL_SERVICE = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1"
"""The service that opens pinholes for IPv6."""

NO_SUCH_ENTRY = 714
CONFLICT = 718
SAME_PORT_ONLY = 724
PERMANENT_LEASES_ONLY = 725
FAULTS = {
    401: "the router does not know this action",
    402: "the router does not take these arguments",
    501: "the router could not do it: often it has no public address itself",
    606: "not allowed",
    701: "pinholes are switched off in the router",
    702: "the router's firewall is switched off",
    703: "inbound pinholes are not allowed",
    714: "there is no such mapping",
    715: "the router takes no wildcard as source",
    716: "the router takes no wildcard as port",
    718: "the port is taken by another PC",
    724: "inner and outer port must be the same",
    725: "the router knows only mappings without an end",
    728: "the router has no room for another mapping",
    729: "the port is taken by a forward of the router itself",
}
"""Error numbers in words (WANIPConnection:2 section 2.5, WANIPv6FirewallControl:1 section 2.6)."""


class IgdError(ValueError):
    """The router answered a call with a fault: ``code`` is its number, 0 where it gave none."""

    def __init__(self, code: int, description: str) -> None:
        words = FAULTS.get(code) or description or "the router could not do it"
        super().__init__(f"{words} (UPnP error {code})")
        self.code = code


class Url(Immutable):
    """An ``http://`` URL with an address in it: ``host`` is a literal without brackets, ``target`` begins with /."""

    __slots__ = ("host", "port", "target")

    host: str
    port: int
    target: str

    def __init__(self, host: str, port: int, target: str) -> None:
        self._set(host=host, port=port, target=target)

    def join(self, reference: str) -> Url:
        """The URL that a reference in the document at this URL means. Raises ValueError for one that is none."""
        if "://" in reference:
            return read_url(reference)
        if not reference.startswith("/"):
            reference = self.target.rpartition("/")[0] + "/" + reference
        return Url(self.host, self.port, _target(reference))

    @property
    def authority(self) -> str:
        """Host and port, as the Host field of a request has them."""
        return format_authority(self.host, self.port)


class Service(Immutable):
    """A service of a router: its type, and where its actions are called."""

    __slots__ = ("type", "control")

    type: str
    control: Url

    def __init__(self, type: str, control: Url) -> None:
        self._set(type=type, control=control)


def read_url(text: str) -> Url:
    """An ``http://`` URL whose host is an address. Raises ValueError for any other: names are not looked up."""
    scheme, separator, rest = text.strip().partition("://")
    if not separator or scheme.lower() != "http":
        raise ValueError(f"no http:// URL: {text[:80]!r}")
    cut = min(place for place in (rest.find("/"), rest.find("?"), len(rest)) if place >= 0)
    authority, target = rest[:cut], rest[cut:]
    host, port = parse_authority(authority, 80)
    if ipv4_octets(host) is None and ipv6_octets(host) is None:
        raise ValueError(f"no address in the URL {text[:80]!r}")
    if not target.startswith("/"):
        target = "/" + target
    return Url(host, port, _target(target))


def read_description(data: bytes, location: Url) -> list[Service]:
    """The services that a description names, and that are called at the host it came from. Raises ValueError."""
    root = read_xml(data)
    base = location
    written = root.child("URLBase")  # version 1.0 of the architecture only
    if written:
        base = read_url(written)
    services = []
    for element in root.walk():
        if element.name != "service":
            continue
        try:
            control = base.join(element.child("controlURL"))
        except ValueError:
            continue
        if control.host == location.host:
            services.append(Service(element.child("serviceType"), control))
    return services


def find_service(services: list[Service], types: tuple[str, ...]) -> Service | None:
    """The first service of the best of these types, or None."""
    return next((service for type in types for service in services if service.type == type), None)


def call_request(service: Service, action: str, arguments: dict[str, str]) -> tuple[list[tuple[str, str]], bytes]:
    """The fields and the body of the POST that calls ``action`` (section 3.2.1)."""
    inner = "".join(f"<{name}>{_escaped(value)}</{name}>" for name, value in arguments.items())
    body = (
        '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
        f'<u:{action} xmlns:u="{_escaped(service.type)}">{inner}</u:{action}></s:Body></s:Envelope>\r\n'
    ).encode()
    fields = [
        ("Host", service.control.authority),
        ("Content-Type", 'text/xml; charset="utf-8"'),
        ("Content-Length", str(len(body))),
        ("SOAPAction", f'"{service.type}#{action}"'),
        ("Connection", "close"),
    ]
    return fields, body


def read_call_reply(status: int, data: bytes, action: str) -> dict[str, str]:
    """What an action gave back, by name. Raises IgdError for a fault, ValueError for what is no answer."""
    if status not in (200, 500):
        raise IgdError(status if 400 <= status < 600 else 0, f"HTTP {status}")
    root = read_xml(data)
    fault = root.find("Fault")
    if fault is not None or status != 200:
        error = root.find("UPnPError")
        code = "" if error is None else error.child("errorCode")
        number = int(code) if code.isascii() and code.isdigit() and len(code) <= 5 else 0
        raise IgdError(number, "" if error is None else error.child("errorDescription")[:100])
    answer = root.find(f"{action}Response")
    if answer is None:
        raise ValueError(f"no answer to {action}")
    return {child.name: child.text for child in answer.children}


def _target(text: str) -> str:
    if any(not 0x21 <= ord(character) <= 0x7E for character in text) or len(text) > 1024:
        raise ValueError("characters in a URL that it cannot have")
    return text.partition("#")[0]


def _escaped(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text
