"""Flags that say what an address can say itself: for people who write ``--tls`` rather than ``tls://…?…``."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from wirecat.cli.environment import Environment

#: Each flag's value where it is not given.
DEFAULTS = {"tls": False, "ca": None, "insecure": False, "proxy": None, "proxy_auth": None, "source": None}
_PROXY_SECRET = "WIRECAT_PROXY_AUTH"


def add_end_flags(parser: ArgumentParser) -> None:
    """Add the flags of an end that is connected to."""
    add = parser.add_argument
    add("--tls", action="store_true", help="speak TLS (the same as tls://), and make sure who the server is")
    add("--ca", metavar="FILE", help="--tls: trust the certificates in FILE, in place of the system's")
    add("--insecure", action="store_true", help="--tls: do not ask whether the server is the one that it says it is")
    add("--proxy", metavar="URL", help="connect by way of socks5://HOST:PORT, socks4://HOST:PORT or http://HOST:PORT")
    login = (
        f"--proxy: log in. FILE's first line is USER:PASSWORD; or set {_PROXY_SECRET}; on the command line ps shows it"
    )
    add("--proxy-auth", metavar="@FILE", help=login)
    add("--source", metavar="ADDR:PORT", help="go out from this address, this :PORT, or both")


def with_flags(text: str | Address, options: Any, environment: Environment) -> Address:
    """The address with what the flags say. Raises UsageError where they do not fit the address, or each other."""
    address = Address.parse(text)
    if options.tls:
        if address.scheme == "tcp":
            address = address.replace(scheme="tls")
        elif address.scheme == "udp":
            address = address.replace(scheme="dtls")
        elif address.scheme not in ("tls", "dtls"):
            raise UsageError(f"--tls is not for {address.scheme}", address=address.bare)
    secure = address.scheme in ("tls", "dtls")
    for flag, given in (("--ca", options.ca), ("--insecure", options.insecure)):
        if given and not secure:
            raise UsageError(f"{flag} is for TLS", address=address.bare, hint="Say --tls as well.")
    if options.ca and options.insecure:
        raise UsageError("--ca and --insecure exclude each other")
    if options.proxy_auth and not (options.proxy or address.option("proxy")):
        raise UsageError("--proxy-auth is for --proxy")
    said = {
        "ca": options.ca,
        "verify": "no" if options.insecure else None,
        "proxy": options.proxy,
        "proxy_auth": options.proxy_auth,
        "source": options.source,
    }
    for name, value in said.items():
        if value is None:
            continue
        if address.option(name):
            raise UsageError(f"{name} is said twice: by the address and by a flag", address=address.bare)
        address = address.replace(options=(*address.options, (name, value)))
    return with_login(address, environment)


def with_login(address: Address, environment: Environment) -> Address:
    """The address with the user name and password of the environment, where its proxy is given without them."""
    login = environment.variables.get(_PROXY_SECRET)
    if not login or not address.option("proxy") or address.option("proxy_auth"):
        return address
    return address.replace(options=(*address.options, ("proxy_auth", login)))
