"""What the router can do, asked without changing anything: its port-mapping protocols, its address, its table.

Only the gateway is asked. A router that says nothing may have everything switched off, or may not want to say.
"""

from __future__ import annotations

import os
import threading

from wirecat.deadline import Deadline
from wirecat.reach.exchange import Closed, ask_by_datagram
from wirecat.reach.igd_client import find_igd, upnp_is_closed
from wirecat.wire import natpmp, pcp
from wirecat.wire.igd import NO_SUCH_ENTRY, IgdError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.reach.igd_client import Igd

YES, CLOSED, SILENT, REFUSED = "yes", "closed", "silent", "refused"
"""How a protocol answered: in full; "nothing listens there" (definite); not at all; with a refusal."""

PROTOCOLS = ("PCP", "NAT-PMP", "UPnP")
_MOST_ENTRIES = 64
# A port that nobody maps (RFC 863), and whose mapping of a nonce that nobody has is taken back to learn an address.
_DISCARD = 9


class RouterView:
    """What a router answered.

    ``answers`` has a word (YES, …) and ``refusals`` the reason of REFUSED by protocol. ``external`` is its public
    address: None unknown, "" for "I have none"; ``told_by`` the protocol that told it. ``without_address`` are its words
    for having none although it is up ("" for no such words). ``mapping`` is (protocol, external port) of a mapping to
    this PC's port, ``pinholes`` whether it opens IPv6 pinholes (None: unknown).
    """

    __slots__ = (
        "answers",
        "asked",
        "external",
        "gateway",
        "igd",
        "mapping",
        "pinholes",
        "refusals",
        "told_by",
        "without_address",
    )

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.answers: dict[str, str] = dict.fromkeys(PROTOCOLS, SILENT)
        self.refusals: dict[str, str] = {}
        self.external: str | None = None
        self.told_by = ""
        self.without_address = ""
        self.mapping: tuple[str, int] | None = None
        self.pinholes: bool | None = None
        self.igd: Igd | None = None
        self.asked: list[str] = []

    def tell_external(self, host: str, protocol: str) -> None:
        """Take note of the public address; one that says more than another wins."""
        if self.external is None or (not self.external and host):
            self.external, self.told_by = host, protocol

    @property
    def can_map(self) -> list[str]:
        """The protocols by which it maps ports, the best first."""
        return [name for name in PROTOCOLS if self.answers[name] == YES]


def look_at_router(gateway: str, own_host: str, port: int, seconds: float) -> RouterView:
    """Ask the router by all its protocols at once, within ``seconds``. Changes nothing there."""
    view = RouterView(gateway)
    deadline = Deadline(seconds)
    tasks: list[Callable[[], None]] = [
        lambda: _ask_natpmp(view, deadline),
        lambda: _ask_pcp(view, own_host, deadline),
        lambda: _ask_upnp(view, own_host, port, deadline),
    ]
    run_at_once(tasks)
    if view.answers["PCP"] == YES and not view.external:
        _ask_pcp_address(view, own_host, Deadline(1.0))
    if view.external == "" and view.answers["PCP"] == YES:
        # It would refuse: there is no address that it could give.
        view.refusals.setdefault("PCP", natpmp.RESULTS[natpmp.NETWORK_FAILURE])
    return view


def run_at_once(tasks: list[Callable[[], None]]) -> None:
    """Run each in a thread of its own and wait for all; the first error is raised then."""
    errors: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(task,), name="wirecat-reach", daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _ask_natpmp(view: RouterView, deadline: Deadline) -> None:
    def read(data: bytes) -> natpmp.AddressReply | None:
        reply = natpmp.read_reply(data)
        return reply if isinstance(reply, natpmp.AddressReply) else None

    reply = _ask(view, "NAT-PMP", lambda: ask_by_datagram(
        view.gateway, natpmp.PORT, natpmp.ADDRESS_REQUEST, read, deadline), deadline)  # fmt: skip
    if reply is None:
        return
    if reply.result == natpmp.SUCCESS:
        view.answers["NAT-PMP"] = YES
        view.tell_external(reply.host, "NAT-PMP")
    elif reply.result == natpmp.NETWORK_FAILURE:
        view.answers["NAT-PMP"] = YES
        view.refusals["NAT-PMP"] = natpmp.RESULTS[reply.result]
        view.tell_external("", "NAT-PMP")
        view.without_address = "NAT-PMP, if it is connected at all"
    else:
        view.answers["NAT-PMP"] = REFUSED
        view.refusals["NAT-PMP"] = natpmp.RESULTS.get(reply.result, f"result {reply.result}")
    view.asked.append(
        f"NAT-PMP {view.gateway}: {view.refusals.get('NAT-PMP') or 'public address ' + (reply.host or 'none')}"
    )


def _ask_pcp(view: RouterView, own_host: str, deadline: Deadline) -> None:
    reply = _ask(view, "PCP", lambda: ask_by_datagram(
        view.gateway, pcp.PORT, pcp.announce_request(own_host), _read_pcp, deadline), deadline)  # fmt: skip
    if reply is None:
        return
    if reply.result == pcp.SUCCESS:
        view.answers["PCP"] = YES
    else:
        view.answers["PCP"] = REFUSED
        view.refusals["PCP"] = pcp.RESULTS.get(reply.result, f"result {reply.result}")
    view.asked.append(f"PCP {view.gateway}: {view.refusals.get('PCP', 'spoken')}")


def _read_pcp(data: bytes) -> pcp.PcpReply:
    if data[:1] == b"\0" and len(data) >= 4 and data[3] == natpmp.UNSUPPORTED_VERSION:
        return pcp.PcpReply(pcp.ANNOUNCE, 1, 0, 0)  # a router that speaks NAT-PMP only (RFC 6887 section 9)
    return pcp.read_reply(data)


def _ask_pcp_address(view: RouterView, own_host: str, deadline: Deadline) -> None:
    """Take back a mapping that is not there: the answer names the router's address, and nothing changes."""
    nonce = os.urandom(pcp.NONCE_BYTES)
    question = pcp.map_request(own_host, nonce, _DISCARD, lifetime=0)

    def read(data: bytes) -> pcp.PcpReply | None:
        reply = pcp.read_reply(data)
        return reply if reply.nonce == nonce else None

    try:
        reply = ask_by_datagram(view.gateway, pcp.PORT, question, read, deadline)
    except OSError:
        return
    if reply is not None and reply.host:
        view.tell_external(reply.host, "PCP")
        view.asked.append(f"PCP {view.gateway}: its address is {reply.host}")


def _ask_upnp(view: RouterView, own_host: str, port: int, deadline: Deadline) -> None:
    def search() -> Igd | None:
        closed = threading.Event()

        def knock() -> None:
            if upnp_is_closed(view.gateway, deadline.within(1.0)):
                closed.set()

        knocking = threading.Thread(target=knock, name="wirecat-reach", daemon=True)
        knocking.start()
        found = find_igd(view.gateway, Deadline(deadline.within(2.5)), view.asked, closed=closed)
        knocking.join()
        if found is None and closed.is_set():
            raise Closed("nothing listens there")
        return found

    igd = _ask(view, "UPnP", search, deadline)
    if igd is None:
        return
    view.igd = igd
    view.answers["UPnP"] = YES if igd.connection is not None else REFUSED
    if igd.connection is None:
        view.refusals["UPnP"] = "it offers no mapping of ports"
    try:
        _ask_igd_address(view, igd, deadline)
        _ask_igd_mapping(view, igd, own_host, port, deadline)
    except (OSError, ValueError) as error:
        view.asked.append(f"UPnP {view.gateway}: {error}")
    _ask_igd_pinholes(view, igd, deadline)


def _ask_igd_address(view: RouterView, igd: Igd, deadline: Deadline) -> None:
    if igd.connection is None:
        return
    host = igd.call(igd.connection, "GetExternalIPAddress", {}, deadline).get("NewExternalIPAddress", "")
    from wirecat.wire.authority import ipv4_octets

    octets = ipv4_octets(host)
    if host and octets is None:
        raise ValueError(f"a public address that is none: {host[:60]!r}")
    has_one = octets is not None and any(octets)
    view.tell_external(host if has_one else "", "UPnP")
    view.asked.append(f"UPnP {view.gateway}: public address {host if has_one else 'none'}")
    if not has_one:
        _ask_igd_status(view, igd, deadline)


def _ask_igd_status(view: RouterView, igd: Igd, deadline: Deadline) -> None:
    """Whether the router that names no address is up: then its own address is one that it may not name as public.

    A description may offer a second way out that is not in use, and which has no address for that reason alone.
    """
    if igd.connection is None:
        return
    try:
        status = igd.call(igd.connection, "GetStatusInfo", {}, deadline).get("NewConnectionStatus", "")
    except (OSError, ValueError) as error:
        view.asked.append(f"UPnP {view.gateway}: its status is not told: {error}")
        return
    view.asked.append(f"UPnP {view.gateway}: its status is {status[:40]!r}")
    if status == "Connected":
        view.without_address = "UPnP, though connected"


def _ask_igd_mapping(view: RouterView, igd: Igd, own_host: str, port: int, deadline: Deadline) -> None:
    """Look for a mapping to our port: under its own number first, then in the whole table, as far as it is short."""
    service = igd.connection
    if service is None:
        return
    wanted = {"NewRemoteHost": "", "NewExternalPort": str(port), "NewProtocol": "TCP"}
    try:
        entry = igd.call(service, "GetSpecificPortMappingEntry", wanted, deadline)
        if entry.get("NewInternalClient") == own_host and entry.get("NewInternalPort") == str(port):
            view.mapping = ("UPnP", port)
            return
    except IgdError as error:
        if error.code != NO_SUCH_ENTRY:
            view.asked.append(f"UPnP {view.gateway}: its table is not shown: {error}")
    for index in range(_MOST_ENTRIES):
        if deadline.expired:
            return
        try:
            entry = igd.call(service, "GetGenericPortMappingEntry", {"NewPortMappingIndex": str(index)}, deadline)
        except IgdError:
            return
        external = entry.get("NewExternalPort", "")
        if (
            entry.get("NewInternalClient") == own_host
            and entry.get("NewInternalPort") == str(port)
            and entry.get("NewProtocol", "").upper() == "TCP"
            and external.isdigit()
        ):
            view.mapping = ("UPnP", int(external))
            return


def _ask_igd_pinholes(view: RouterView, igd: Igd, deadline: Deadline) -> None:
    if igd.firewall is None:
        return
    try:
        status = igd.call(igd.firewall, "GetFirewallStatus", {}, deadline)
    except (OSError, ValueError) as error:
        view.asked.append(f"UPnP {view.gateway}: its IPv6 firewall is not told: {error}")
        return
    view.pinholes = status.get("InboundPinholeAllowed") in ("1", "true", "yes")
    view.asked.append(f"UPnP {view.gateway}: IPv6 pinholes {'allowed' if view.pinholes else 'not allowed'}")


if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def _ask(view: RouterView, protocol: str, ask: Callable[[], T | None], deadline: Deadline) -> T | None:
    """The answer; None, with the word for it in the view, where there is none."""
    try:
        answer = ask()
    except Closed:
        view.answers[protocol] = CLOSED
        view.asked.append(f"{protocol} {view.gateway}: nothing listens there")
        return None
    except OSError as error:
        view.asked.append(f"{protocol} {view.gateway}: {error.strerror or error}")
        return None
    if answer is None:
        view.asked.append(f"{protocol} {view.gateway}: no answer")
    return answer
