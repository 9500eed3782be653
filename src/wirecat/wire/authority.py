"""A host and its port as protocols write them: ``host:port``, ``[::1]:443``, checked so that nothing else slips in.

A name that holds a line's end, a space or a NUL could add lines to a request or fields to a handshake. So a host is
letters, digits, hyphens, dots and underscores, or an IPv6 address, and everything else is refused, in both directions.
"""

from __future__ import annotations

from wirecat.errors import HttpError, UsageError
from wirecat.wire.host_name import ascii_name

MAPPED = bytes(10) + b"\xff\xff"  # how an IPv4 address in IPv6 begins (RFC 4291 section 2.5.5.2)
LONGEST_HOST = 255  # bytes: one length byte in SOCKS 5; a DNS name has at most 253 (RFC 1035 section 2.3.4)


def ipv4_octets(host: str) -> bytes | None:
    """The 4 bytes of an IPv4 address in dotted form, or None for anything else.

    >>> ipv4_octets("127.0.0.1"), ipv4_octets("127.1")
    (b'\\x7f\\x00\\x00\\x01', None)
    """
    parts = host.split(".")
    if len(parts) != 4:
        return None
    for part in parts:
        # An octet with a leading zero is octal to some readers and decimal to others (RFC 6943 section 3.1.1).
        if not (part.isascii() and part.isdigit() and len(part) <= 3 and int(part) <= 255 and part == str(int(part))):
            return None
    return bytes(map(int, parts))


def ipv6_octets(host: str) -> bytes | None:
    """The 16 bytes of an IPv6 address (without brackets or scope), or None for anything else."""
    if ":" not in host:
        return None
    from socket import AF_INET6, inet_pton

    try:
        return inet_pton(AF_INET6, host)
    except (OSError, ValueError):  # ValueError: it holds a NUL, or what is no text
        return None


def unmapped(host: str) -> str:
    """An address in one notation, an IPv4 address in IPv6 as the IPv4 address; a name as it is.

    >>> unmapped("::ffff:127.0.0.1"), unmapped("0:0::1"), unmapped("example.org")
    ('127.0.0.1', '::1', 'example.org')
    """
    octets = ipv6_octets(host)
    if octets is None:
        return host
    if octets.startswith(MAPPED):
        return ".".join(map(str, octets.removeprefix(MAPPED)))
    from socket import AF_INET6, inet_ntop

    return inet_ntop(AF_INET6, octets)


def ascii_host(host: str) -> str:
    """A host as it is written in a protocol's bytes: a name (see ``host_name.ascii_name``) or an address without brackets.

    Raises UsageError for what is neither, for a name of more than 255 bytes, and for an IPv6 address with a scope,
    which means nothing on another machine.
    """
    if ":" in host:
        if ipv6_octets(host) is None:
            scope = "%" in host and ipv6_octets(host.partition("%")[0]) is not None
            raise UsageError(
                f"{host!r} is no IPv6 address" if not scope else f"the scope of {host!r} means nothing to a proxy"
            )
        return host
    name = ascii_name(host)
    if len(name) > LONGEST_HOST:
        raise UsageError(f"a host's name has at most {LONGEST_HOST} bytes, not {len(name)}")
    return name


def require_port(port: int) -> int:
    """``port``, checked to be one that can be connected to. Raises UsageError for others than 1 to 65535."""
    if not 0 < port < 65536:
        raise UsageError(f"a port is a number from 1 to 65535, not {port}")
    return port


def format_authority(host: str, port: int) -> str:
    """``host:port``, IPv6 in brackets (RFC 3986 section 3.2). Raises UsageError for what is no host or port.

    >>> format_authority("::1", 443)
    '[::1]:443'
    """
    host = ascii_host(host)
    return f"[{host}]:{require_port(port)}" if ":" in host else f"{host}:{require_port(port)}"


def parse_authority(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Host and port of an authority that came over the wire (RFC 3986 section 3.2), percent escapes undone.

    ``default_port`` is taken where no port is written; with None there must be one. Raises HttpError (400) for user
    information (RFC 9110 section 4.2.4: it is likely there to obscure the host), for scopes, and for what is no host.

    >>> parse_authority("[::1]:443"), parse_authority("127.0.0.%31", 80)
    (('::1', 443), ('127.0.0.1', 80))
    """
    if "@" in text:
        raise HttpError("user names and passwords do not belong into a request's target")
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ipv6_octets(host) is None or (rest and not rest.startswith(":")):
            raise HttpError("no IPv6 address in the brackets of the request's target")
        digits = rest[1:]
    else:
        host, _, digits = text.partition(":")
        host = _unescape(host)
        try:
            if not host.isascii() or len(ascii_name(host)) > LONGEST_HOST:
                raise HttpError("no host in the request's target")
        except UsageError as error:
            raise HttpError("no host in the request's target") from error
    if not digits:
        if default_port is None:
            raise HttpError("no port in the request's target")
        return host, default_port
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65536):
        raise HttpError("no port from 1 to 65535 in the request's target")
    return host, int(digits)


def _unescape(host: str) -> str:
    """Undo percent escapes (RFC 3986 section 2.1) in a host's name; a malformed one stays, and is refused later."""
    first, *parts = host.split("%")
    out = first
    for part in parts:
        digits = part[:2]
        if len(digits) < 2 or not all(letter in "0123456789abcdefABCDEF" for letter in digits):
            return host
        out += chr(int(digits, 16)) + part[2:]
    return out
