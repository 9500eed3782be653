"""What an address says about TLS: its options, read and checked in one place."""

from __future__ import annotations

from wirecat.endpoints.tls_versions import MINIMUMS
from wirecat.errors import AddressError, UsageError
from wirecat.immutable import Immutable
from wirecat.wire.authority import ipv6_octets
from wirecat.wire.host_name import dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address


class TlsOptions(Immutable):
    """``verify``: ask whether the peer is the one it says it is; ``common_names``: let a certificate's common name
    count too; ``server_name``: the name to ask for and to find there; ``truncation``: whether an end without TLS's
    own is an end (None: the default of the side); ``minimum``: the oldest version (empty: 1.2); the rest as the address has it.
    """

    __slots__ = (
        "alpn",
        "ca",
        "cert",
        "ciphers",
        "common_names",
        "key",
        "minimum",
        "server_name",
        "truncation",
        "verify",
    )

    verify: bool
    common_names: bool
    server_name: str
    truncation: bool | None
    ca: str
    cert: str
    key: str
    alpn: tuple[str, ...]
    ciphers: str
    minimum: str

    def __init__(self, **fields: object) -> None:
        self._set(**fields)

    @classmethod
    def of(cls, address: Address) -> TlsOptions:
        """The options of an address. Raises AddressError for a value that is not known, and for a key without its
        certificate."""
        if address.option("key") and not address.option("cert"):
            raise AddressError("a key without its certificate", address=address.bare, hint="Say cert=FILE as well.")
        truncation = _choice(address, "truncation", "", "allow", "error")
        for name in ("ca", "cert", "key", "ciphers"):
            if "\0" in address.option(name):
                raise AddressError(f"{name} has a zero byte in it", address=address.bare)
        return cls(
            verify=_choice(address, "verify", "yes", "no") == "yes",
            common_names=_choice(address, "names", "strict", "common") == "common",
            server_name=server_name_of(address),
            truncation=None if not truncation else truncation == "allow",
            ca=address.option("ca"),
            cert=address.option("cert"),
            key=address.option("key"),
            alpn=tuple(name for name in address.option("alpn").split(",") if name),
            ciphers=address.option("ciphers"),
            minimum=_choice(address, "min", "", *MINIMUMS),
        )


def server_name_of(address: Address) -> str:
    """The name to ask the server for, in ASCII: the option ``servername``, else the host. Raises UsageError."""
    try:
        return tls_name(address.option("servername") or address.host or "localhost")
    except UsageError as error:
        error.address, error.step = address.bare, "server name"
        raise


def tls_name(host: str) -> str:
    """A host as TLS names it (RFC 6066 section 3): without the dot at its end, an address without its zone.

    Raises UsageError for what cannot be a host name.
    """
    if ":" not in host:
        return dns_name(host).removesuffix(".")
    literal = host.partition("%")[0]
    if ipv6_octets(literal) is None:
        raise AddressError(f"{host!r} cannot be a host's name: it is not an IPv6 address")
    return literal


def _choice(address: Address, name: str, *choices: str) -> str:
    """The value of an option; the first of ``choices`` where it is not said."""
    value = address.option(name, choices[0])
    if value not in choices:
        hint = f"Write {' or '.join(f'{name}={each}' for each in choices if each)}."
        raise AddressError(f"{name}={value} is not known", address=address.bare, hint=hint)
    return value
