"""The verb behind ``reach --browse``: which wirecat servers announce themselves on the local network (RFC 6763)."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.errors import UsageError
from wirecat.immutable import Immutable
from wirecat.system.multicast_dns import SERVICE_TYPES, local_network, open_multicast_dns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from zeroconf import ServiceInfo

#: Seconds that answers are waited for.
SECONDS = 2.5
LONGEST = 5.0
#: Servers, and addresses of each, that are looked at: what the network says is not to be trusted, nor its amount.
MOST_SERVERS = 256
MOST_ADDRESSES = 16
# Seconds in which a task ends that was told to.
_END = 1.0


class AnnouncedServer(Immutable):
    """A server that announces itself.

    ``name`` is what it is called, ``host`` the name to connect to (``desk.local``), ``scheme`` is tcp, tls, udp or dtls,
    ``addresses`` are where it listens. Both names are as the network told them: any characters at all.
    """

    __slots__ = ("name", "host", "port", "scheme", "addresses")

    name: str
    host: str
    port: int
    scheme: str
    addresses: tuple[Address, ...]

    def __init__(self, name: str, host: str, port: int, scheme: str, addresses: tuple[Address, ...]) -> None:
        self._set(name=name, host=host, port=port, scheme=scheme, addresses=addresses)


def browse(seconds: float = SECONDS) -> list[AnnouncedServer]:
    """The wirecat servers that the local network knows of, by name; ``seconds``, at most 5, is how long it listens.

    Raises UsageError (no package zeroconf, too many seconds) and Unreachable (no local network).
    """
    if not 0 < seconds <= LONGEST:
        raise UsageError(f"{seconds:g} s: it listens for more than 0 and at most {LONGEST:g} s", step="browse")
    import threading

    deadline = Deadline(seconds)
    multicast = open_multicast_dns(local_network(), "browse")
    try:
        from zeroconf import BadTypeInNameException, ServiceBrowser, ServiceStateChange
        from zeroconf.asyncio import AsyncServiceInfo

        infos: dict[str, ServiceInfo] = {}
        tasks: list[Future[bool]] = []
        lock = threading.Lock()

        def seen(zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
            import asyncio

            with lock:
                if state_change is ServiceStateChange.Removed:
                    infos.pop(name, None)
                    return
                if name in infos or len(infos) >= MOST_SERVERS:
                    return
                try:
                    info = infos[name] = AsyncServiceInfo(service_type, name)
                except BadTypeInNameException:
                    return  # no server is called so (RFC 6763 section 4.1.1)
                # Where it listens is asked of all at the same time: one that is silent keeps nobody waiting.
                question = info.async_request(zeroconf, max(1.0, deadline.within(seconds) * 1000))
                tasks.append(asyncio.run_coroutine_threadsafe(question, zeroconf.loop))

        browser = ServiceBrowser(multicast, sorted(set(SERVICE_TYPES.values())), handlers=[seen])
        threading.Event().wait(deadline.within(seconds))
        browser.cancel()
        with lock:
            found = [server for info in infos.values() if (server := read_server(info)) is not None]
            waiting = [task for task in tasks if not task.done()]
        for task in waiting:
            task.cancel()
    finally:
        multicast.close()
    return sorted(found, key=lambda server: (server.host.lower(), server.port, server.name))


def read_server(info: ServiceInfo) -> AnnouncedServer | None:
    """What the network said of one server; None where that is not enough to connect to it."""
    from zeroconf import IPVersion

    port, host = info.port, (info.server or "").removesuffix(".")
    if not port or not host:
        return None
    kinds = [scheme for scheme, kind in SERVICE_TYPES.items() if kind == info.type]
    told = (info.properties.get(b"scheme") or b"").decode("ascii", "replace")
    scheme = told if told in kinds else kinds[0]
    hosts = info.parsed_scoped_addresses(IPVersion.All)[:MOST_ADDRESSES]
    if not hosts:
        return None
    name = info.name.removesuffix(f".{info.type}")
    return AnnouncedServer(name, host, port, scheme, tuple(Address(scheme, each, port) for each in hosts))
