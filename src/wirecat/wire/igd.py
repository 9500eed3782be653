"""UPnP's Internet Gateway Device, versions 1 and 2: its description, and calls of its actions (SOAP 1.1).

The description names services and where to call them. A call is an HTTP POST of a small document; its answer is
another, or a fault with a number (UPnP Device Architecture 1.1 section 3.2).
"""

from __future__ import annotations

from wirecat.immutable import Immutable
from wirecat.wire.authority import format_authority, ipv4_octets, ipv6_octets, parse_authority
from wirecat.wire.xml_tree import read_xml

_CONNECTIONS = (":WANIPConnection:", ":WANPPPConnection:")
_FIREWALL = ":WANIPv6FirewallControl:"

UNKNOWN_ACTION = 401
INVALID_ARGUMENTS = 402
NOT_AUTHORIZED = 606
NO_SUCH_INDEX = 713
NO_SUCH_ENTRY = 714
CONFLICT = 718
FORWARDED_OTHERWISE = 729
SAME_PORT_ONLY = 724
PERMANENT_LEASES_ONLY = 725
FAULTS = {
    401: "the router does not know this action",
    402: "the router does not take these arguments",
    501: "the router could not do it: often it has no public address itself",
    602: "the router does not know this action",
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
    """The router answered a call with a fault: ``code`` is its number, as it came; 0 where it gave none."""

    def __init__(self, code: int, description: str) -> None:
        words = FAULTS.get(code) or description or "the router could not do it"
        super().__init__(f"{words} (UPnP error {code})" if code else words)
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

    @property
    def version(self) -> int:
        """The number at the end of its type; 1 where there is none."""
        digits = self.type.rpartition(":")[2]
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 1

    @property
    def url(self) -> str:
        """Where its actions are called, as ``read_url`` takes it."""
        return f"http://{self.control.authority}{self.control.target}"


class Values(dict[str, str]):
    """What an action gave back, by name; ``get`` takes a name in another case too, as some routers write them."""

    def value(self, name: str) -> str:
        """The value of ``name``, "" where there is none."""
        return self.get(name) or next((self[each] for each in self if each.lower() == name.lower()), "")


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


def read_description(data: bytes, location: Url, oddities: list[str] | None = None) -> list[Service]:
    """The services that a description names, and that are called at the host it came from. Raises ValueError.

    A host that is written as a name is not looked up: the one that the description came from is taken in its place.
    ``oddities`` gets a phrase for that and for each other departure from the standard.
    """
    oddities = [] if oddities is None else oddities
    root = read_xml(data, oddities)
    base = location
    written = root.child("URLBase")  # version 1.0 of the architecture only
    if written:
        try:
            base = read_url(_at(location, written, oddities))
        except ValueError:
            oddities.append(f"its URLBase {written[:60]!r} is no URL")
    services = []
    for element in root.walk():
        if element.name.lower() != "service":
            continue
        try:
            control = base.join(_at(location, element.child("controlURL"), oddities))
        except ValueError:
            continue
        kind = element.child("serviceType")
        if control.host == location.host:
            services.append(Service(kind, control))
        elif is_connection(kind):
            oddities.append(f"its description leads to {control.host}, which is another machine")
    return services


def _at(location: Url, reference: str, oddities: list[str]) -> str:
    """A reference in which the name of a host is replaced by the address of ``location``."""
    scheme, separator, rest = reference.strip().partition("://")
    authority = rest[: min((place for mark in "/?#" if (place := rest.find(mark)) >= 0), default=len(rest))]
    if not separator or "@" in authority:
        return reference
    host, port = parse_authority(authority, 80)
    if ipv4_octets(host) is not None or ipv6_octets(host) is not None or scheme.lower() != "http":
        return reference
    oddity = f"its description has the name {host[:60]!r} where an address belongs"
    if oddity not in oddities:
        oddities.append(oddity)
    return f"http://{format_authority(location.host, port)}{rest[len(authority) :]}"


def is_connection(type: str) -> bool:
    """Whether a service of this type maps ports: WANIPConnection or WANPPPConnection, in any version."""
    return any(name.lower() in type.lower() for name in _CONNECTIONS)


def connection_services(services: list[Service]) -> list[Service]:
    """The services that map ports: those of version 2 first, then IP before PPP, else in the description's order."""
    found = [service for service in services if is_connection(service.type)]
    return sorted(found, key=lambda service: (-service.version, _CONNECTIONS[1].lower() in service.type.lower()))


def firewall_services(services: list[Service]) -> list[Service]:
    """The services that open pinholes for IPv6."""
    return [service for service in services if _FIREWALL.lower() in service.type.lower()]


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


def read_call_reply(status: int, data: bytes, action: str, oddities: list[str] | None = None) -> Values:
    """What an action gave back, by name. Raises IgdError for a fault, ValueError for what is no answer.

    An answer under the name of another action counts if it has values; ``oddities`` gets a phrase for it.
    """
    try:
        root = read_xml(data, oddities)
    except ValueError:
        if status != 200:
            raise IgdError(0, f"HTTP status {status} without a document") from None
        raise
    fault = root.find("Fault")
    error = root.find("UPnPError")
    if fault is not None or error is not None or status != 200:
        code, words = ("", "") if error is None else (error.child("errorCode"), error.child("errorDescription")[:100])
        if not code and status != 200:
            words = words or f"HTTP status {status}"
        digits = code.removeprefix("-")
        number = int(code) if digits.isascii() and digits.isdigit() and len(code) <= 6 else 0
        raise IgdError(number, words or (f"error {code[:20]!r}" if code else ""))
    answer = root.find(f"{action}Response")
    if answer is None:
        answer = next((each for each in root.walk() if each.name.lower().endswith("response") and each.children), None)
        if answer is None:
            raise ValueError(f"no answer to {action}")
        if oddities is not None:
            oddities.append(f"its answer to {action} is called {answer.name[:60]}")
    return Values({child.name: child.text for child in answer.children})


def _target(text: str) -> str:
    if any(not 0x21 <= ord(character) <= 0x7E for character in text) or len(text) > 1024:
        raise ValueError("characters in a URL that it cannot have")
    return text.partition("#")[0]


def _escaped(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text
