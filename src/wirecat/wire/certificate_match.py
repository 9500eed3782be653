"""Whether a certificate is for a host, by the older and wider rules: alternative names and common name alike.

RFC 6125 section 6.4.4 lets the common name count only where there are no alternative names, and so does Python. ncat
takes both, and its wildcard wants at least two labels behind the ``*.``; scripts rely on that. Whoever asks for nothing
special gets the rules of Python's ``ssl``, which are OpenSSL's.
"""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.wire.host_name import ascii_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.wire.x509_names import CertificateNames


def matches_host(names: CertificateNames, host: str, *, common_names: bool = True) -> bool:
    """Whether ``host`` (a name, or an address in numbers) is among the alternative names or the common names.

    Without ``common_names`` those count only where there are no alternative names.

    >>> from wirecat.wire.x509_names import CertificateNames
    >>> names = CertificateNames(subject=(("CN", "*.example.org"),), dns_names=(), ip_addresses=())
    >>> matches_host(names, "www.example.org"), matches_host(names, "example.org")
    (True, False)
    """
    alternatives = names.dns_names or names.ip_addresses
    common = names.common_names if common_names or not alternatives else ()
    number = _packed(host)
    if number is not None:
        return any(_packed(each) == number for each in (*names.ip_addresses, *common))
    return any(_matches_name(pattern, host) for pattern in (*names.dns_names, *common))


def _matches_name(pattern: str, host: str) -> bool:
    """Compare two names (RFC 4343: without regard to ASCII case); ``*`` may stand for the whole first label."""
    # An embedded zero byte ends the name for a reader in C, and has been used to pass for another.
    if not pattern or "\0" in pattern:
        return False
    wanted, name = _folded(pattern), _folded(host)
    if not wanted.startswith("*."):
        return wanted == name
    rest = wanted[2:]
    if rest.count(".") < 1 or "" in rest.split(".") or "*" in rest:
        return False  # *.org would match half the world
    label, _, parent = name.partition(".")
    return bool(label) and parent == rest


def _folded(name: str) -> str:
    name = name.removesuffix(".")
    if not name.isascii():
        try:
            name = ascii_name(name)
        except UsageError:  # no host name: it is compared as it is
            return name
    return name.lower()


def _packed(host: str) -> bytes | None:
    """The bytes of an address in numbers; None for a name."""
    import ipaddress

    try:
        return ipaddress.ip_address(host.partition("%")[0]).packed
    except ValueError:
        return None
