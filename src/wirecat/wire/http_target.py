"""What an HTTP request asks for, and of whom: the four forms of a request's target (RFC 9112 section 3.2).

A client asks a proxy with an absolute URI, ``GET http://host/tea``, or for a tunnel, ``CONNECT host:443``. A target
that is only a path, ``GET /tea``, is meant for the program that reads it: for a proxy, for the proxy itself.

>>> from wirecat.wire.http_message import RequestHead
>>> target = request_target(RequestHead("GET", "http://127.0.0.%31:8080/a%2Fb?c"))
>>> target.host, target.port, target.path, target.authority
('127.0.0.1', 8080, '/a%2Fb?c', '127.0.0.1:8080')
"""

from __future__ import annotations

from wirecat.errors import HttpError
from wirecat.immutable import Immutable
from wirecat.wire.authority import MAPPED, ipv4_octets, ipv6_octets, parse_authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wirecat.wire.http_message import RequestHead

HTTP_PORT = 80


class Target(Immutable):
    """Where a request is to go.

    ``form`` is ``absolute``, ``authority`` (CONNECT), ``origin`` (a path alone) or ``asterisk`` (OPTIONS for the server
    as a whole). ``host`` and ``port`` are those of the URI, of CONNECT, or else of the Host field; None where none of
    them tells. ``path`` is the path with its query, as a server is asked for it, its percent escapes untouched.
    """

    __slots__ = ("form", "host", "path", "port")

    form: str
    host: str | None
    port: int | None
    path: str

    def __init__(self, form: str, host: str | None, port: int | None, path: str = "") -> None:
        self._set(form=form, host=host, port=port, path=path)

    @property
    def for_the_reader(self) -> bool:
        """Whether the request is meant for the program that reads it, and not for another one behind it."""
        return self.form in ("origin", "asterisk")

    @property
    def authority(self) -> str:
        """The value of a Host field: the port is left out where it is 80. Empty without a host."""
        if self.host is None:
            return ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in (None, HTTP_PORT) else f"{host}:{self.port}"

    def is_one_of(self, places: Iterable[tuple[str, int]]) -> bool:
        """Whether this is one of some hosts and ports, as a proxy's own: it would answer itself for ever.

        Compares what is written, an address with the same address in another notation, and a name with a name. What a
        name resolves to is another matter: ask again with the address that is to be connected to.
        """
        if self.host is None:
            return False
        mine = _canonical(self.host)
        return any(self.port == port and mine == _canonical(host) for host, port in places)


def request_target(head: RequestHead) -> Target:
    """The target of a request. Raises HttpError (400) for one that is malformed, or that its method cannot have.

    Only ``http`` is known as a scheme: for others, a client asks for a tunnel. User information is refused (RFC 9110
    section 4.2.4), and so is a fragment, which is never sent.
    """
    text = head.target
    if "#" in text:
        raise HttpError("a fragment does not belong into a request's target")
    if head.method == "CONNECT":
        host, port = parse_authority(text)
        return Target("authority", host, port)
    if text == "*":
        if head.method != "OPTIONS":
            raise HttpError("the target * is for OPTIONS only")
        return Target("asterisk", *_host_field(head), "*")
    if text.startswith("/"):
        return Target("origin", *_host_field(head), text)
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise HttpError("the request's target is neither a path nor a URI")
    if scheme.lower() != "http":
        raise HttpError("only http:// is known here; ask for a tunnel with CONNECT")
    end = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
    host, port = parse_authority(rest[:end], HTTP_PORT)
    path = rest[end:]
    if not path:
        # RFC 9112 section 3.2.4: the last proxy on the way asks for the server as a whole.
        path = "*" if head.method == "OPTIONS" else "/"
    elif path[0] == "?":
        path = f"/{path}"
    return Target("absolute", host, port, path)


def _host_field(head: RequestHead) -> tuple[str | None, int | None]:
    value = head.headers.single("Host")
    return parse_authority(value, HTTP_PORT) if value else (None, None)


def _canonical(host: str) -> bytes | str:
    """The same for all notations of an address, and for all cases of a name."""
    octets = ipv4_octets(host) or ipv6_octets(host)
    if octets is None:
        return host.lower().rstrip(".")
    return octets.removeprefix(MAPPED)
