"""Addresses: one parser and one formatter for whatever bytes can come from or go to. No sockets here.

    12345                     this PC only: 127.0.0.1 and ::1
    host:12345  [::1]:12345   a host and a port
    :12345                    every interface (a server); this PC (a client)
    tcp://host:12345?name=x   a scheme, with options of the one end (percent-escaped, RFC 3986 section 2.1)
    unix:///run/echo.socket   a path (percent-escaped); unixgram:// for one that takes datagrams
    exec:command              a command line
    -                         standard input and output

What a scheme can do and which options it takes is told by the table in ``wirecat.endpoints``, not here.
"""

from __future__ import annotations

from wirecat.errors import AddressError
from wirecat.immutable import Immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from wirecat.secret import Secret

DEFAULT_ADDRESS = "12345"  # where ``listen`` and ``serve`` listen unless they are told

# Schemes whose rest is taken as it stands: everything after the colon, or after ``//``.
_OPAQUE = ("exec", "unix", "unixgram")
_PATHS = ("unix", "unixgram")
# Schemes that are a host and a port, and nothing behind it.
_WITHOUT_PATH = ("tcp", "tls", "udp", "dtls", "sctp", "vsock")
_LARGEST_PORT = 65535
_LARGEST_VSOCK_PORT = 0xFFFFFFFF  # vsock(7): ports have 32 bits
_EXAMPLES = "Write 12345, host:12345 or [::1]:12345"


class Address(Immutable):
    """Where bytes come from or go to.

    ``scheme`` is ``tcp``, ``unix``, …; ``host`` is ``None`` for this PC only (both loopback addresses), ``""`` for
    every interface, else a name or a literal without brackets; ``port`` is 0 to 65535, or ``None`` where there is none;
    ``path`` is the path or command of the schemes that have one; ``options`` are the end's own (name and value, in
    order). The value of ``proxy_auth`` is a ``Secret``, however it is given, and so is the user name and password in
    the URL of ``proxy``; neither ``str`` nor ``repr`` shows it.
    """

    __slots__ = ("host", "options", "path", "port", "scheme")

    scheme: str
    host: str | None
    port: int | None
    path: str
    options: tuple[tuple[str, str | Secret], ...]

    def __init__(
        self,
        scheme: str = "tcp",
        host: str | None = None,
        port: int | None = None,
        path: str = "",
        options: tuple[tuple[str, str | Secret], ...] = (),
    ) -> None:
        if port is not None and not 0 <= port <= _largest_port(scheme):
            hint = f"A port is a number from 1 to {_largest_port(scheme)}."
            raise AddressError(f"port {port} is out of range", hint=hint)
        if options:
            options = _with_secrets(options)
        self._set(scheme=scheme, host=host, port=port, path=path, options=tuple(options))

    @classmethod
    def parse(cls, text: str | int | Address) -> Address:
        """Read an address. Raises AddressError, with an example, for what is none.

        >>> Address.parse("[::1]:80").host
        '::1'
        >>> str(Address.parse("tcp://localhost:80"))
        'localhost:80'
        """
        if isinstance(text, Address):
            return text
        text = str(text).strip()
        if text == "-":
            return cls("stdio")
        try:
            text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            _fail(text, "it is no text")
        scheme, rest, options = _split(text)
        if scheme in _OPAQUE:
            if not rest:
                _fail(text, f"nothing behind {scheme}:")
            if "\0" in rest:
                _fail(text, "no path and no command has a zero byte")
            path = _unescape(rest) if scheme in _PATHS else rest
            if "\0" in path and path[:1] != "@":  # abstract names (unix(7)) may have one
                _fail(text, "no path has a zero byte")
            return cls(scheme, path=path, options=options)
        authority, slash, path = rest.partition("/")
        if slash and scheme in _WITHOUT_PATH:
            _fail(text, f"{scheme.upper()} addresses have no path")
        host, port = _host_and_port(text, authority, _largest_port(scheme))
        return cls(scheme, host, port, slash + path, options)

    def option(self, name: str, default: str = "") -> str:
        """The value of one of the end's own options, or ``default``. For a secret it is ``***``; see ``secret``."""
        for other, value in self.options:
            if other == name:
                return str(value)
        return default

    def secret(self, name: str) -> Secret | None:
        """The value of an option that is a secret (``proxy_auth``); None where it is not given."""
        for other, value in self.options:
            if other == name and not isinstance(value, str):
                return value
        return None

    @property
    def bare(self) -> Address:
        """This address without its options: for messages, and for what only names the end."""
        return self.replace(options=()) if self.options else self

    def target(self) -> Address:
        """This address, checked to be one that can be connected to. Raises AddressError for port 0."""
        if self.port == 0:
            raise AddressError(
                "port 0 means 'a free one' and is for servers only", address=self, hint="Name the server's port."
            )
        return self

    @property
    def this_pc_only(self) -> bool:
        """Whether only programs on this machine can reach it."""
        host = self.host
        if self.port is None:  # a path, a command, standard input and output
            return True
        return host is None or host.lower() in ("localhost", "::1") or _is_ipv4_loopback(host)

    def __str__(self) -> str:
        if self.scheme == "tcp" and self.host and not self.options and self.port is not None:  # most of them
            return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        if self.scheme == "stdio":
            return "-"
        if self.scheme == "exec":
            return f"exec:{'//' if self.path.startswith('//') else ''}{self.path}"
        options = "?" + "&".join(f"{name}={_shown(value)}" for name, value in self.options) if self.options else ""
        if self.scheme in _PATHS:
            return f"{self.scheme}://{_escape(self.path, '%?')}{options}"
        host = self.host
        if self.port is None:
            return f"{self.scheme}://{host or ''}{self.path}{options}"
        if host is None:
            authority = str(self.port)
        elif ":" in host:
            authority = f"[{host}]:{self.port}"
        else:
            authority = f"{host}:{self.port}"
        if self.scheme == "tcp" and not options:
            return authority
        return f"{self.scheme}://{authority}{self.path}{options}"


_Draft = Address.draft()


def known_address(scheme: str, host: str, port: int) -> Address:
    """The Address of what a socket is bound or connected to: made in a hurry, and not checked, because the kernel has."""
    address = _Draft()
    address.scheme, address.host, address.port, address.path, address.options = scheme, host, port, "", ()
    address.__class__ = Address
    made: Address = address
    return made


def _fail(text: str, message: str, hint: str = _EXAMPLES) -> NoReturn:
    from wirecat.secret import hide_in_address, hide_in_handler

    shown = hide_in_handler(text)
    if shown != text:  # the arguments of serve the wrong way round: no part of it is for a message
        text, message, hint = shown, "it is a handler, not an address", "Write the handler first, then the address"
    raise AddressError(message, address=repr(hide_in_address(text)), step="address", hint=hint + ".")


def _split(text: str) -> tuple[str, str, tuple[tuple[str, str | Secret], ...]]:
    """Scheme, rest and options of an address; the scheme is ``tcp`` where none is written."""
    head, colon, rest = text.partition(":")
    if colon and head.lower() in _OPAQUE:
        rest = rest.removeprefix("//")
        if head.lower() == "exec":  # a command may hold a question mark of its own
            return "exec", rest, ()
    elif "://" in text.partition("?")[0]:  # behind the question mark may stand another address
        head, _, rest = text.partition("://")
        letters = head.isascii() and head[:1].isalpha() and all(each.isalnum() or each in "+-." for each in head)
        if not letters:
            _fail(text, "what stands before :// is no scheme" if "@" in head else f"{head!r} is no scheme")
    else:
        head, rest = "tcp", text
    rest, mark, query = rest.partition("?")
    options: list[tuple[str, str | Secret]] = []
    for pair in query.split("&") if mark else ():
        name, equals, value = pair.partition("=")
        if not (name and equals):
            _fail(text, f"the option {name!r} has no value", "Write ?name=value")
        if any(name == other for other, _ in options):
            _fail(text, f"the option {name!r} stands there twice", "Say it once")
        options.append((name, _unescape(value)))
    return head.lower(), rest, tuple(options)


def _largest_port(scheme: str) -> int:
    return _LARGEST_VSOCK_PORT if scheme == "vsock" else _LARGEST_PORT


def _host_and_port(text: str, authority: str, largest: int = _LARGEST_PORT) -> tuple[str | None, int]:
    if not authority:
        _fail(text, "it is empty")
    if "@" in authority:
        _fail(text, "user names and passwords do not belong into an address")
    if authority.isascii() and authority.isdigit():
        return None, _port(text, authority, largest)
    if authority.startswith("["):
        host, bracket, rest = authority[1:].partition("]")
        if not bracket or ":" not in host:
            _fail(text, "brackets are for IPv6 addresses")
        _require_host(text, host)
        if not rest.startswith(":"):
            _fail(text, "no port", "Write [::1]:12345")
        return host, _port(text, rest[1:], largest)
    host, colon, port = authority.rpartition(":")
    if not colon:
        if (authority[:1].isalpha() or "." in authority) and authority.isprintable() and " " not in authority:
            _fail(text, "no port", f"Write {authority}:12345")
        _fail(text, f"{authority!r} is no port")
    if ":" in host:
        _fail(text, "an IPv6 address stands in brackets", "Write [::1]:12345")
    _require_host(text, host)
    return host, _port(text, port, largest)


def _require_host(text: str, host: str) -> None:
    # What cannot be printed is no host's name; but for the two joiners, which some scripts need (RFC 5892 appendix A).
    if not host.replace("\u200c", "").replace("\u200d", "").isprintable() or any(letter in "[] " for letter in host):
        _fail(text, f"{host!r} is no host")


def _port(text: str, digits: str, largest: int) -> int:
    hint = f"A port is a number from 1 to {largest}"
    if not (digits.isascii() and digits.isdigit()):
        _fail(text, f"{digits!r} is no port" if digits else "no port", hint)
    if len(digits) > len(str(largest)) + 1 or int(digits) > largest:
        _fail(text, f"port {digits[:20]} is out of range", hint)
    return int(digits)


def _is_ipv4_loopback(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdigit() for part in parts)


def _unescape(value: str) -> str:
    """Undo percent escapes (RFC 3986 section 2.1); a percent sign that begins none stays."""
    if "%" not in value:
        return value
    parts = value.encode("utf-8", "surrogateescape").split(b"%")
    out = parts[0]
    for part in parts[1:]:
        digits = part[:2]
        if len(digits) == 2 and all(digit in b"0123456789abcdefABCDEF" for digit in digits):
            out += bytes([int(digits, 16)]) + part[2:]
        else:
            out += b"%" + part
    return out.decode("utf-8", "surrogateescape")


def _with_secrets(options: tuple[tuple[str, str | Secret], ...]) -> tuple[tuple[str, str | Secret], ...]:
    """The options with their secrets as such: ``proxy_auth``, and what stands before the @ in the URL of ``proxy``."""
    names = [name for name, _ in options]
    if "proxy" not in names and "proxy_auth" not in names:
        return options
    from wirecat.secret import Secret, hide_in_address, split_userinfo

    kept: list[tuple[str, str | Secret]] = []
    for name, value in options:
        if name == "proxy_auth":
            value = Secret.of(value)
        elif name == "proxy" and isinstance(value, str):
            value, userinfo = split_userinfo(value)
            if userinfo and "proxy_auth" in names:
                hint = "Leave one of them out."
                raise AddressError("the proxy's URL and proxy_auth both have a user name", address=value, hint=hint)
            if userinfo:
                kept.append(("proxy_auth", Secret(_unescape(userinfo))))
            value = hide_in_address(value)  # what else may be one makes no proxy's address
        kept.append((name, value))
    return tuple(kept)


def _shown(value: str | Secret) -> str:
    return _escape(value) if isinstance(value, str) else str(value)


def _escape(value: str, reserved: str = "%&?# ") -> str:
    """The inverse of ``_unescape``: percent escapes for what would be read otherwise, or cannot be printed."""
    return "".join(
        letter if letter.isprintable() and letter not in reserved
        else "".join(f"%{byte:02X}" for byte in _bytes(letter))
        for letter in value
    )  # fmt: skip


def _bytes(letter: str) -> bytes:
    return letter.encode("utf-8", "surrogateescape" if "\udc80" <= letter <= "\udcff" else "surrogatepass")
