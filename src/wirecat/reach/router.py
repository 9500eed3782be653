"""What the router can do, asked without changing anything: its port-mapping protocols, its address, its table.

Only the gateway is asked. A router that says nothing may have everything switched off, or may not want to say.
"""

from __future__ import annotations

import os

from wirecat.deadline import Deadline
from wirecat.port_mapping.exchange import Closed, Unreadable, ask_by_datagram, run_at_once
from wirecat.reach.places import PUBLIC, kind_of
from wirecat.reach.router_upnp import ask_igd, search_igd
from wirecat.wire import natpmp, pcp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.port_mapping.igd_client import Igd

YES, CLOSED, SILENT, REFUSED, UNREADABLE = "yes", "closed", "silent", "refused", "unreadable"
"""How a protocol answered: in full; "nothing listens there" (definite); not at all; with a refusal; with nonsense."""

_WORDS = {YES: "spoken", CLOSED: "closed", SILENT: "no answer"}
PROTOCOLS = ("PCP", "NAT-PMP", "UPnP")
# A port that nobody maps (RFC 863), and whose mapping of a nonce that nobody has is taken back to learn an address.
_DISCARD = 9


class RouterView:
    """What a router answered.

    ``answers`` has a word (YES, …) by protocol, ``refusals`` the reason of REFUSED and UNREADABLE, ``remarks`` what was
    odd about a protocol that can be used. ``external`` is the router's public address: None unknown, "" for "I have
    none"; ``told_by`` the protocol that told it. ``untold`` are connection services that may be up and did not tell
    theirs. ``without_address`` are its words for having none although it is up ("" for no such words). ``mapping`` is
    (protocol, external port) of a mapping to this machine's port, ``pinholes`` whether it opens IPv6 pinholes (None:
    unknown).
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
        "remarks",
        "told_by",
        "untold",
        "without_address",
    )

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.answers: dict[str, str] = dict.fromkeys(PROTOCOLS, SILENT)
        self.refusals: dict[str, str] = {}
        self.remarks: dict[str, str] = {}
        self.untold: list[str] = []
        self.external: str | None = None
        self.told_by = ""
        self.without_address = ""
        self.mapping: tuple[str, int] | None = None
        self.pinholes: bool | None = None
        self.igd: Igd | None = None
        self.asked: list[str] = []

    def tell_external(self, host: str, protocol: str) -> None:
        """Take note of the public address; of several a public one wins, then any that is one."""
        known = self.external
        if known is None or (not known and host) or (host and kind_of(host) == PUBLIC != kind_of(known)):
            self.external, self.told_by = host, protocol

    def describe(self) -> str:
        """How it answered by each protocol, in words."""
        said = []
        for name in PROTOCOLS:
            words = self.refusals.get(name) or _WORDS[self.answers[name]]
            said.append(f"{name}: {words}" + (f", {self.remarks[name]}" if name in self.remarks else ""))
        return "; ".join(said)

    @property
    def can_map(self) -> list[str]:
        """The protocols by which it maps ports, the best first."""
        return [name for name in PROTOCOLS if self.answers[name] == YES]


def look_at_router(gateway: str, own_host: str, port: int, seconds: float) -> RouterView:
    """Ask the router by all its protocols at once, within ``seconds``. Changes nothing there.

    A router that answers by UPnP, but slowly, has as long again for its description, and again for its services.
    """
    view = RouterView(gateway)
    deadline = Deadline(seconds)
    tasks: list[Callable[[], None]] = [
        lambda: _ask_natpmp(view, deadline),
        lambda: _ask_pcp(view, own_host, deadline),
        lambda: _ask_upnp(view, own_host, port, seconds),
    ]
    run_at_once(tasks)
    if view.answers["PCP"] == YES and not view.external:
        _ask_pcp_address(view, own_host, Deadline(1.0))
    if view.untold and (view.external is None or kind_of(view.external) != PUBLIC):
        # Another way out may have a public address: what is behind this one says nothing yet.
        view.asked.append(f"UPnP {gateway}: {len(view.untold)} of its connections did not tell their address")
        view.external, view.without_address = None, ""
    if view.external == "" and view.answers["PCP"] == YES:
        # It would refuse: there is no address that it could give.
        view.refusals.setdefault("PCP", natpmp.RESULTS[natpmp.NETWORK_FAILURE])
    return view


def _ask_natpmp(view: RouterView, deadline: Deadline) -> None:
    def read(data: bytes) -> natpmp.AddressReply | None:
        reply = natpmp.read_reply(data)
        return reply if isinstance(reply, natpmp.AddressReply) else None

    reply = _ask(view, "NAT-PMP", lambda: ask_by_datagram(
        view.gateway, natpmp.PORT, natpmp.ADDRESS_REQUEST, read, deadline))  # fmt: skip
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
        view.gateway, pcp.PORT, pcp.announce_request(own_host), _read_pcp, deadline))  # fmt: skip
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


def _ask_upnp(view: RouterView, own_host: str, port: int, seconds: float) -> None:
    igd = _ask(view, "UPnP", lambda: search_igd(view, seconds))
    if igd is None:
        return
    view.igd = igd
    view.answers["UPnP"] = YES if igd.connections else REFUSED
    if not igd.connections:
        view.refusals["UPnP"] = "it offers no mapping of ports"
    ask_igd(view, igd, own_host, port, seconds)
    if igd.oddities:
        view.remarks["UPnP"] = "it answered, but " + "; ".join(igd.oddities[:3])


if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def _ask(view: RouterView, protocol: str, ask: Callable[[], T | None]) -> T | None:
    """The answer; None, with the word for it in the view, where there is none."""
    try:
        answer = ask()
    except Closed:
        view.answers[protocol] = CLOSED
        view.asked.append(f"{protocol} {view.gateway}: nothing listens there")
        return None
    except Unreadable as error:
        view.answers[protocol] = UNREADABLE
        view.refusals[protocol] = f"it answered, but {error}"
        view.asked.append(f"{protocol} {view.gateway}: {view.refusals[protocol]}")
        return None
    except OSError as error:
        view.asked.append(f"{protocol} {view.gateway}: {error.strerror or error}")
        return None
    if answer is None:
        view.asked.append(f"{protocol} {view.gateway}: no answer")
    return answer
