"""The table of schemes, and the two things that can be done with an address: open it, and listen on it.

To add a scheme: write its module here with ``open_stream(address, deadline)`` and ``open_listener(address, backlog)``
(or one of them), and give it a row. Help, docs and error messages are read off the rows.
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

_TCP = {
    "source": "go out from this address or port of this PC: 192.168.1.7, :4000, [::1]:4000",
    "family": "4 or 6: use IPv4 or IPv6 only",
    "route": "by way of these hops (IPv4 in numbers, loose source routing): HOP,HOP,…",
    "proxy": "connect by way of a proxy: socks5://host:1080, socks4://host:1080, http://host:3128",
    "proxy_auth": "user name and password for the proxy: @FILE (its first line), or USER:PASSWORD",
    "proxy_dns": "who looks up the name: remote (the proxy, default) or local",
}
_TLS = {
    "ca": "trust these certificates (a file or folder), not the system's; a server: clients must show one they signed",
    "verify": "no: do not ask whether the server is the one that it says it is (default yes)",
    "names": "common: the certificate's common name counts as well (default strict, RFC 6125)",
    "servername": "the name to ask for, and to find in the certificate (default: the host)",
    "cert": "the certificate to show, as PEM (a server without one makes one that lasts as long as it runs)",
    "key": "its key, as PEM, where that is not in the same file",
    "alpn": "protocols to offer, the dearest first: h2,http/1.1",
    "ciphers": "a list of ciphers for OpenSSL, for TLS 1.2 and older",
    "min": "the oldest version to speak: 1.0, 1.1, 1.2 (default), 1.3; system: what OpenSSL's configuration says",
    "truncation": "what an end without TLS's own end is: an error (a client's default), or allow (a server's)",
}
_DTLS = {name: help for name, help in _TLS.items() if name != "truncation"}
_DATAGRAMS = {"idle": "seconds without a datagram after which it ends; 0: never (a listener: 60, a client: 0)"}
_WITHOUT_END = {"half_closes": False, "keeps_boundaries": True}

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme("tcp", "wirecat.endpoints.tcp", "a TCP port; tcp:// may be left out", "127.0.0.1:12345", options=_TCP),
        Scheme(
            "tls", "wirecat.endpoints.tls", "TLS over TCP, the server verified", "tls://localhost:12345?ca=cert.pem",
            options=_TLS | _TCP,
        ),
        Scheme(
            "udp", "wirecat.endpoints.udp", "a UDP port; each send is one datagram", "udp://127.0.0.1:12345",
            options=_DATAGRAMS | {name: _TCP[name] for name in ("source", "family", "route")}, **_WITHOUT_END,
        ),
        Scheme(
            "dtls", "wirecat.endpoints.dtls", "TLS over UDP (needs pyOpenSSL)", "dtls://localhost:12345?ca=cert.pem",
            options=_DTLS | _DATAGRAMS | {name: _TCP[name] for name in ("source", "family")}, **_WITHOUT_END,
        ),
        Scheme(
            "unixgram", "wirecat.endpoints.unixgram", "a Unix domain socket for datagrams", "unixgram:///run/log.socket",
            options=_DATAGRAMS | {"source": "the own path, to be answered at"}, **_WITHOUT_END,
        ),
        Scheme("unix", "wirecat.endpoints.unix", "a Unix domain socket", "unix:///run/echo.socket"),
        Scheme(
            "sctp", "wirecat.endpoints.sctp", "an SCTP port, where the kernel has it", "sctp://127.0.0.1:12345",
            options={name: _TCP[name] for name in ("source", "family")}, half_closes=False,
        ),
        Scheme("vsock", "wirecat.endpoints.vsock", "a virtual machine's port; the host is 2", "vsock://2:12345"),
        Scheme(
            "exec", "wirecat.endpoints.exec", "a program's standard input and output", "exec:sort -u", listens=False
        ),
        Scheme(
            "stdio", "wirecat.endpoints.stdio", "standard input and output", "-", listens=False, half_closes=False
        ),
    )
}  # fmt: skip


def scheme_of(address: Address) -> Scheme:
    """The row of an address' scheme. Raises AddressError for a scheme or an option that is not known."""
    scheme = SCHEMES.get(address.scheme)
    if scheme is None:
        known = ", ".join(name for name in SCHEMES if name != "stdio")
        raise AddressError(f"unknown scheme {address.scheme!r}", address=address.bare, hint=f"There are: {known}.")
    for name, _ in address.options:
        if name not in scheme.options:
            known = ", ".join(scheme.options) or "none"
            raise AddressError(
                f"unknown option {name!r} for {scheme.name}", address=address.bare, hint=f"It takes: {known}."
            )
    return scheme


def check_address(address: Address) -> None:
    """Check what can be known of an address before it is used: scheme, options, names of hosts and servers.

    For what connects later, a relay for example. Raises AddressError, UsageError, UnknownHost (no possible host name).
    """
    scheme = scheme_of(address)
    if "family" in scheme.options and not address.option("proxy"):  # then a proxy looks the name up
        from wirecat.endpoints.resolve import check_host

        check_host(address)
    if "servername" in scheme.options:
        from wirecat.endpoints.tls_options import TlsOptions

        TlsOptions.of(address)


def open_stream(address: Address, deadline: Deadline) -> Stream:
    """Open a connection to ``address``. Raises AddressError, UnknownHost, Refused, NoAnswer, Unreachable."""
    scheme = scheme_of(address)
    if not scheme.connects:
        raise AddressError(f"{scheme.name} cannot be connected to", address=address.bare)
    stream: Stream = _module(scheme).open_stream(address.target(), deadline)
    return stream


def open_listener(address: Address, backlog: int = 1024) -> Listener:
    """Listen on ``address``. Raises AddressError, UnknownHost, ListenError."""
    scheme = scheme_of(address)
    if not scheme.listens:
        raise AddressError(f"{scheme.name} cannot be listened on", address=address.bare)
    listener: Listener = _module(scheme).open_listener(address, backlog)
    return listener


def _module(scheme: Scheme) -> ModuleType:
    # __import__ gives the package; the module itself stands in sys.modules. importlib would cost more than it says.
    import sys

    __import__(scheme.module)
    return sys.modules[scheme.module]
