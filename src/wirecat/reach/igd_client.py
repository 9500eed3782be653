"""A UPnP router: found by SSDP, described, and called; only ever the gateway itself, whoever else answers."""

from __future__ import annotations

import select
import socket
import threading

from wirecat.deadline import Deadline
from wirecat.reach.exchange import Closed, exchange_http, family_of
from wirecat.wire import ssdp
from wirecat.wire.igd import (
    CONNECTION_SERVICES,
    FIREWALL_SERVICE,
    Service,
    Url,
    call_request,
    find_service,
    read_call_reply,
    read_description,
    read_url,
)

# Datagrams that are looked at in one search. Anybody may answer, and as often as he wants.
_MOST_ANSWERS = 300
_SEARCH_AGAIN = 0.7

_LONGEST_ANSWER = 4096


class Igd:
    """A router that speaks UPnP: ``connection`` maps ports, ``firewall`` opens pinholes; either may be None.

    It is called from the address ``source``, and over the interface ``scope`` where its own is a link-local one.
    """

    __slots__ = ("connection", "firewall", "location", "scope", "server", "source")

    def __init__(self, location: Url, server: str, services: list[Service], source: str = "", scope: str = "") -> None:
        self.location = location
        self.server = server
        self.connection = find_service(services, CONNECTION_SERVICES)
        self.firewall = find_service(services, (FIREWALL_SERVICE,))
        self.source = source
        self.scope = scope

    @property
    def version(self) -> int:
        """2 for a router that gives another port where the one asked for is taken, else 1."""
        return 2 if self.connection is not None and self.connection.type.endswith("WANIPConnection:2") else 1

    def call(self, service: Service, action: str, arguments: dict[str, str], deadline: Deadline) -> dict[str, str]:
        """What ``action`` gives back. Raises IgdError (the router's fault), ValueError (no answer of UPnP's), OSError."""
        fields, body = call_request(service, action, arguments)
        status, data = exchange_http(service.control, "POST", fields, body, deadline, self.source, self.scope)
        return read_call_reply(status, data, action)


def find_igd(
    gateway: str, deadline: Deadline, asked: list[str], source: str = "", closed: threading.Event | None = None
) -> Igd | None:
    """The gateway as UPnP describes it; None where it does not answer.

    One socket asks the gateway and then the group: a firewall that keeps track lets the gateway's own answers in only.
    ``asked`` gets a line for each thing that happened. ``closed`` tells that the gateway takes no question of its own;
    the group is given as long as it may take (MX) all the same.
    """
    refused: set[str] = set()
    with socket.socket(family_of(gateway), socket.SOCK_DGRAM) as searching:
        searching.setblocking(False)
        searching.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if source:
            searching.bind((source, 0))
            searching.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
        seen = searches = 0
        while not deadline.expired and seen < _MOST_ANSWERS:
            if searches > 1 and closed is not None and closed.is_set():
                break
            searches += 1
            _search(searching, gateway)
            pause = Deadline(deadline.within(_SEARCH_AGAIN))
            while not pause.expired and seen < _MOST_ANSWERS:
                data = _next_answer(searching, gateway, pause)
                if data is None:
                    continue
                seen += 1
                found = _look_at(data, gateway, refused, deadline, asked, source)
                if found is not None:
                    return found
    if seen >= _MOST_ANSWERS:
        asked.append(f"UPnP: more than {_MOST_ANSWERS} answers to a search, none of them usable")
    return None


def _search(searching: socket.socket, gateway: str) -> None:
    for target in ssdp.TARGETS:
        for host in (gateway, ssdp.GROUP):
            try:
                searching.sendto(ssdp.search_request(target, host), (host, ssdp.PORT))
            except OSError:
                continue  # a network without multicast, or its way out is closed: the other may do


def _next_answer(searching: socket.socket, gateway: str, pause: Deadline) -> bytes | None:
    readable, _, _ = select.select([searching], [], [], pause.within(_SEARCH_AGAIN))
    if not readable:
        return None
    try:
        data, sender = searching.recvfrom(_LONGEST_ANSWER)
    except OSError:  # an ICMP message about one of the questions
        return None
    return data if sender[0] == gateway else b""


def _look_at(
    data: bytes, gateway: str, refused: set[str], deadline: Deadline, asked: list[str], source: str
) -> Igd | None:
    """The router that this answer leads to; None where it leads nowhere, or elsewhere."""
    try:
        reply = ssdp.read_reply(data)
    except ValueError:
        return None
    if reply.location in refused:
        return None
    try:
        location = read_url(reply.location)
        if location.host != gateway:
            raise ValueError("it leads to another machine than the gateway")
        status, body = exchange_http(location, "GET", [("Host", location.authority), ("Connection", "close")], b"",
                                     Deadline(deadline.within(1.5)), source)  # fmt: skip
        if status != 200:
            raise ValueError(f"HTTP {status}")
        igd = Igd(location, reply.server, read_description(body, location), source)
        if igd.connection is None and igd.firewall is None:
            raise ValueError("it describes no router")
    except (OSError, ValueError) as error:
        refused.add(reply.location)
        asked.append(f"UPnP description {reply.location[:120]!r}: {error}")
        return None
    asked.append(f"UPnP description {reply.location}: {igd.connection.type if igd.connection else 'a firewall only'}")
    return igd


def upnp_is_closed(gateway: str, seconds: float) -> bool:
    """Whether the gateway says that nothing listens for searches (an ICMP message, which is definite)."""
    from wirecat.reach.exchange import ask_by_datagram

    question = ssdp.search_request(ssdp.TARGETS[0], gateway)
    try:
        ask_by_datagram(gateway, ssdp.PORT, question, lambda data: data, Deadline(seconds))
    except Closed:
        return True
    except OSError:
        return False
    return False
