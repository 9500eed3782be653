"""The verb behind ``--announce``: a running server gets a name on the local network, for as long as it runs.

It is announced twice over, by multicast DNS (RFC 6762): as a host, NAME.local with the addresses that the server listens
on, and as a service of the type ``_wirecat._tcp`` or ``_wirecat._udp`` (RFC 6763), which is what browsing finds.
"""

from __future__ import annotations

import threading

from wirecat.errors import ListenError, Unreachable, UsageError
from wirecat.system.interfaces import list_interfaces
from wirecat.system.multicast_dns import SERVICE_TYPES, local_network, open_multicast_dns, require_multicast_dns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from zeroconf import ServiceInfo, Zeroconf

    from wirecat.address import Address
    from wirecat.system.interface_address import InterfaceAddress

# Longer than three questions and their pauses take (RFC 6762 section 8.1), on a machine that is busy elsewhere.
_PATIENCE = 30.0
# Milliseconds in which somebody else who has the name answers.
_TAKEN = 750
# A label of a host's name (RFC 1035 section 2.3.1, RFC 1123 section 2.1): letters, digits and hyphens between them.
_LONGEST = 63


class Announcement:
    """A server's name on the local network, until ``close``; made by ``announce``. A context manager.

    ``name`` is the host's, ``desk.local``; ``hosts`` are the addresses that it stands for.
    """

    def __init__(self, name: str, hosts: list[str], multicast: Zeroconf) -> None:
        self.name = name
        self.hosts = tuple(hosts)
        self._multicast = multicast
        self._lock = threading.Lock()
        self._closing: threading.Thread | None = None

    def withdraw(self) -> None:
        """Begin to take it back, without a wait: whoever remembers it is told to forget (RFC 6762 section 10.1)."""
        with self._lock:
            if self._closing is None:
                self._closing = threading.Thread(target=self._multicast.close, name="wirecat-withdraw", daemon=True)
                self._closing.start()

    def close(self) -> None:
        """Take it back, and wait until that is done, which takes less than a second."""
        self.withdraw()
        assert self._closing is not None
        self._closing.join(_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def announce(name: str, addresses: Iterable[Address]) -> Announcement:
    """Announce a server that listens on ``addresses`` as ``name`` (with or without ``.local``) on the local network.

    It takes about two seconds, in which everybody there is asked whether the name is free. Raises UsageError (a name that
    can be none, addresses that nobody else reaches, no package zeroconf), ListenError (the name is another's) and
    Unreachable (no local network).
    """
    label = checked_name(name)
    places = list(addresses)
    for place in places:
        check_announced(place)
    network = local_network()
    interfaces = _served(places, network)
    if not interfaces:
        raise Unreachable("none of the server's addresses is on a local network", step="announce",
                          hint="Connect this PC to a network.")  # fmt: skip
    # A link-local IPv6 address wants a scope, which not every resolver hands on: only where there is nothing else.
    wide = [entry for entry in interfaces if entry.family == "ipv4" or entry.scope != "link"] or interfaces
    hosts = list(dict.fromkeys(entry.host.partition("%")[0] for entry in wide))
    names = {entry.name for entry in interfaces}
    multicast = open_multicast_dns([entry for entry in network if entry.name in names], "announce")
    try:
        _publish(multicast, label, places[0], hosts)
    except BaseException:
        multicast.close()
        raise
    return Announcement(f"{label}.local", hosts, multicast)


def checked_name(name: str) -> str:
    """The first label of the host's name that ``name`` stands for. Raises UsageError for what can be none.

    >>> checked_name("desk"), checked_name("Desk-2.local")
    ('desk', 'Desk-2')
    """
    label = name[: -len(".local")] if name.lower().endswith(".local") else name
    letters = label.replace("-", "a")
    if not (letters.isascii() and letters.isalnum()) or len(label) > _LONGEST or label[0] == "-" or label[-1] == "-":
        raise UsageError(
            f"{name!r} can be no name on the local network", step="announce",
            hint=f"Use letters, digits and hyphens between them, at most {_LONGEST}.",
        )  # fmt: skip
    return label


def check_announced(address: Address) -> None:
    """Raise UsageError for an address that it would be of no use to announce."""
    if address.scheme not in SERVICE_TYPES or address.port is None:
        raise UsageError(f"{address.scheme} cannot be announced: it is for {', '.join(SERVICE_TYPES)}", step="announce")
    if address.this_pc_only:
        raise UsageError(
            f"{address} can be reached from this PC only", step="announce", hint="Let others in first, with --lan."
        )


def check_announcing(name: str, address: Address) -> None:
    """What can be known before a socket opens: the name, the address, the package. Raises UsageError."""
    checked_name(name)
    check_announced(address)
    require_multicast_dns("--announce")


def _served(places: list[Address], interfaces: list[InterfaceAddress]) -> list[InterfaceAddress]:
    """The addresses on the local network that a server which listens on ``places`` can be reached at."""
    every = {"ipv6" if place.host == "::" else "ipv4" for place in places if place.host in ("0.0.0.0", "::")}
    named = {place.host for place in places}
    return [entry for entry in interfaces if entry.family in every or entry.host in named]


def _publish(multicast: Zeroconf, label: str, place: Address, hosts: list[str]) -> None:
    """Ask whether the name is free, then announce. Raises ListenError where it is not."""
    import asyncio

    from zeroconf import AddressResolver, IPVersion, NonUniqueNameException, ServiceInfo  # type: ignore[attr-defined]

    kind = SERVICE_TYPES[place.scheme]
    server = f"{label}.local."
    ours = {entry.host.partition("%")[0] for entry in list_interfaces()}
    info = ServiceInfo(
        kind, f"{label}.{kind}", place.port, properties={"txtvers": "1", "scheme": place.scheme}, server=server,
        parsed_addresses=hosts,
    )  # fmt: skip

    async def ask_and_tell() -> bool:
        """Whether it was free as a service, and as a host; this PC itself may have it already (section 8.1)."""
        there = AddressResolver(server)
        try:
            await asyncio.gather(there.async_request(multicast, _TAKEN), multicast.async_check_service(info, False))
        except NonUniqueNameException:
            return False
        if not set(there.parsed_addresses(IPVersion.All)) <= ours:
            return False
        await _tell(multicast, info)
        return True

    loop = multicast.loop
    assert loop is not None
    if not asyncio.run_coroutine_threadsafe(ask_and_tell(), loop).result(_PATIENCE):
        raise ListenError(
            f"{label}.local is the name of another on this network", step="announce", hint="Choose another name."
        )


async def _tell(multicast: Zeroconf, info: ServiceInfo) -> None:
    await (await multicast.async_register_service(info, cooperating_responders=True))
