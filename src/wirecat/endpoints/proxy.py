"""Connecting by way of a proxy: SOCKS 4, 4a and 5, and HTTP's CONNECT. The protocols themselves are in ``wire``.

What the proxy says is looked at before it is taken out of the socket (MSG_PEEK, recv(2)), so that not one byte too many
is: what follows its reply belongs to the target, and whoever gets the stream finds it in the socket.
"""

from __future__ import annotations

import socket

from wirecat.address import Address
from wirecat.endpoints.failures import error_number
from wirecat.endpoints.resolve import resolve
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.tcp import connect_to
from wirecat.endpoints.watched_wait import WatchedWait
from wirecat.errors import AddressError, NoAnswer, ProxyError, UnknownHost, UsageError
from wirecat.wire.host_name import dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.deadline import Deadline
    from wirecat.wire.handshake import Handshake

#: What each kind of proxy listens on where no port is said; 3128 is squid's, as ncat has it.
DEFAULT_PORTS = {"socks5": 1080, "socks5h": 1080, "socks4": 1080, "socks4a": 1080, "http": 3128}
_LOOKUPS = ("remote", "local", "both", "none")
_REMOTE_ALWAYS = ("socks4a", "socks5h")
_PEEK = 65536
_HINT = "Write proxy=socks5://host:1080, proxy=socks4://host:1080 or proxy=http://host:3128."


class TunnelStream(SocketStream):
    """A connection through a proxy: ``peer`` is the target, ``proxy`` the proxy's address."""

    __slots__ = ("proxy",)

    def __init__(self, connected: socket.socket, peer: Address, proxy: Address) -> None:
        super().__init__(connected, peer)
        self.proxy = proxy


def open_through_proxy(address: Address, deadline: Deadline) -> TunnelStream:
    """Connect to ``address`` by its option ``proxy``, the other options of TCP being those of the way to the proxy.

    Raises ProxyError (the proxy refuses), AddressError, UsageError, and what TCP raises, about the proxy.
    """
    proxy = proxy_of(address)
    try:
        if address.host and ":" not in address.host:
            dns_name(address.host)
        handshake = _handshake(address, proxy, deadline)
    except UsageError as error:  # a host that cannot be asked for
        if error.address is None:
            error.address, error.step = address.bare, "connect"
        raise
    own = tuple(pair for pair in address.options if pair[0] in ("source", "family"))
    target = Address("tcp", handshake.host, address.port)
    while True:
        stream = connect_to(proxy.replace(options=own), deadline)
        try:
            if _shake(stream.socket, handshake, proxy, deadline):
                return TunnelStream(stream.socket, target, proxy)
        except BaseException:
            stream.close()
            raise
        stream.close()  # it wants to be asked again on a new connection


def proxy_of(address: Address) -> Address:
    """The proxy's address, from the option ``proxy``. Raises AddressError for one that cannot be."""
    text = address.option("proxy")
    scheme, slashes, rest = text.partition("://")
    scheme = scheme.lower()
    rest = rest.removesuffix("/")
    if not (slashes and rest) or scheme not in DEFAULT_PORTS:
        raise AddressError(f"{text!r} is no proxy", address=address.bare, hint=_HINT)
    try:
        proxy = Address.parse(f"{scheme}://{rest}")
    except AddressError:
        proxy = Address.parse(f"{scheme}://{rest}:{DEFAULT_PORTS[scheme]}")
    if proxy.path or proxy.options:
        raise AddressError(f"{text!r} is no proxy", address=address.bare, hint=_HINT)
    return proxy.target()


def _handshake(address: Address, proxy: Address, deadline: Deadline) -> Handshake:
    """The handshake with that kind of proxy."""
    host, port, scheme = _host_for(address, proxy, deadline), address.port or 0, proxy.scheme
    credentials = address.secret("proxy_auth")
    user, colon, password = ("" if credentials is None else credentials.reveal()).partition(":")
    if scheme == "http":
        from wirecat.wire.http_proxy import ConnectClient

        return ConnectClient(host, port, (user, password) if user or colon else None)
    from wirecat.wire.socks import Socks4Client, Socks5Client

    if scheme in ("socks4", "socks4a"):
        return Socks4Client(host, port, user, remote_name=True)
    return Socks5Client(host, port, user, password) if user or colon else Socks5Client(host, port)


def _host_for(address: Address, proxy: Address, deadline: Deadline) -> str:
    """The host as the proxy is told it: its name, or the address that it is looked up to be here."""
    lookup = address.option("proxy_dns", "remote")
    if lookup not in _LOOKUPS:
        hint = f"There are: {', '.join(_LOOKUPS)}."
        raise AddressError(f"proxy_dns={lookup} is not known", address=address.bare, hint=hint)
    host = address.host or "localhost"
    if lookup == "remote" or proxy.scheme in _REMOTE_ALWAYS or _is_number(host):
        return host
    if lookup == "none":
        raise UsageError(f"{host!r} is a name, and nobody may look it up", address=address.bare, step="connect")
    try:
        found = resolve(Address("tcp", host, address.port), deadline)
    except UnknownHost:
        if lookup == "both":
            return host
        raise
    if proxy.scheme == "socks4":  # it knows no other
        found = [candidate for candidate in found if candidate[0] == socket.AF_INET] or found
    return str(found[0][1][0])


def _is_number(host: str) -> bool:
    from wirecat.wire.authority import ipv4_octets, ipv6_octets

    return ipv4_octets(host) is not None or ipv6_octets(host) is not None


def _shake(connected: socket.socket, handshake: Handshake, proxy: Address, deadline: Deadline) -> bool:
    """The handshake over a fresh connection; False where the proxy wants another one."""
    to_send: bytes | None = handshake.start()
    try:
        while True:
            if to_send:
                connected.settimeout(_left(deadline))
                connected.sendall(to_send)
            if handshake.done:
                connected.settimeout(None)
                return True
            if handshake.reconnect:
                return False
            connected.settimeout(_left(deadline))
            if deadline.partner is not None:
                wait = WatchedWait(connected.fileno(), deadline.partner, sending=False)
                if not wait.wait(_left(deadline)):
                    raise TimeoutError
            seen = connected.recv(_PEEK, socket.MSG_PEEK)
            if not seen:
                handshake.receive_end()
                return False
            to_send = handshake.receive(seen)
            _take(connected, len(seen) - len(handshake.rest))
    except ProxyError:
        raise
    except TimeoutError as error:
        waited = "no answer" if deadline.seconds is None else f"no answer in {deadline.seconds:g} s"
        raise NoAnswer(waited, address=proxy, step="proxy") from error
    except OSError as error:
        if isinstance(error, ConnectionError) and _is_to_be_asked_again(handshake):
            return False  # it does not keep an old connection, and says so by a reset: that is an end like others
        message = f"the proxy broke the connection off ({error.strerror or error})"
        raise ProxyError(message, kind="closed", address=proxy, step="proxy", errno=error_number(error)) from error


def _is_to_be_asked_again(handshake: Handshake) -> bool:
    """Whether the handshake goes on with a new connection, now that this one has ended."""
    if handshake.done:
        return False
    try:
        handshake.receive_end()
    except ProxyError:
        return False
    return handshake.reconnect


def _left(deadline: Deadline) -> float | None:
    if deadline.expired:
        raise TimeoutError
    return deadline.remaining()


def _take(connected: socket.socket, count: int) -> None:
    """Take bytes that were seen out of the socket."""
    while count:
        count -= len(connected.recv(count))
