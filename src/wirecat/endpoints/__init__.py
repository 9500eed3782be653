"""The table of schemes, and the two things that can be done with an address: open it, and listen on it.

To add a scheme: write its module here with ``open_stream(address, deadline)`` and ``open_listener(address, backlog)`` (or
one of them), and give it a row. Help, docs and error messages are read off the rows.
"""

from __future__ import annotations

from wirecat.endpoints.scheme import Scheme
from wirecat.errors import AddressError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from wirecat.address import Address
    from wirecat.deadline import Deadline
    from wirecat.endpoints.listener import Listener
    from wirecat.stream import Stream

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme("tcp", "wirecat.endpoints.tcp", "a TCP port; tcp:// may be left out", "127.0.0.1:12345"),
        Scheme("unix", "wirecat.endpoints.unix", "a Unix domain socket", "unix:///run/echo.socket"),
        Scheme(
            "stdio", "wirecat.endpoints.stdio", "standard input and output", "-", listens=False
        ),
    )
}  # fmt: skip


def scheme_of(address: Address) -> Scheme:
    """The row of an address' scheme. Raises AddressError for a scheme or an option that is not known."""
    scheme = SCHEMES.get(address.scheme)
    if scheme is None:
        known = ", ".join(name for name in SCHEMES if name != "stdio")
        raise AddressError(f"unknown scheme {address.scheme!r}", address=address, hint=f"There are: {known}.")
    for name, _ in address.options:
        if name not in scheme.options:
            known = ", ".join(scheme.options) or "none"
            raise AddressError(
                f"unknown option {name!r} for {scheme.name}", address=address, hint=f"It takes: {known}."
            )
    return scheme


def open_stream(address: Address, deadline: Deadline) -> Stream:
    """Open a connection to ``address``. Raises AddressError, UnknownHost, Refused, NoAnswer, Unreachable."""
    scheme = scheme_of(address)
    if not scheme.connects:
        raise AddressError(f"{scheme.name} cannot be connected to", address=address)
    stream: Stream = _module(scheme).open_stream(address.target(), deadline)
    return stream


def open_listener(address: Address, backlog: int = 1024) -> Listener:
    """Listen on ``address``. Raises AddressError, UnknownHost, ListenError."""
    scheme = scheme_of(address)
    if not scheme.listens:
        raise AddressError(f"{scheme.name} cannot be listened on", address=address)
    listener: Listener = _module(scheme).open_listener(address, backlog)
    return listener


def _module(scheme: Scheme) -> ModuleType:
    # __import__ gives the package; the module itself stands in sys.modules. importlib would cost more than it says.
    import sys

    __import__(scheme.module)
    return sys.modules[scheme.module]
