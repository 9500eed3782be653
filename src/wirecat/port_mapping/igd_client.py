"""A UPnP router: found by SSDP, described, and called; only ever the gateway itself, whoever else answers."""

from __future__ import annotations

import select
import socket
import threading
import time

from wirecat.deadline import Deadline
from wirecat.port_mapping.exchange import Closed, Unreadable, exchange_http, family_of
from wirecat.wire import ssdp
from wirecat.wire.igd import (
    Service,
    Url,
    Values,
    call_request,
    connection_services,
    firewall_services,
    read_call_reply,
    read_description,
    read_url,
)

# Datagrams that are looked at in one search. Anybody may answer, and as often as he wants.
_MOST_ANSWERS = 300
_SEARCH_AGAIN = 0.7

_LONGEST_ANSWER = 4096
# Seconds after which an answer is called slow, and after which one call is given up.
_SLOW = 1.5
_LONGEST_CALL = 4.0


class Igd:
    """A router that speaks UPnP: ``connections`` map ports, ``firewalls`` open pinholes; either may be empty.

    ``connection`` is the service to map ports by: the first, until another is chosen. ``oddities`` are phrases for what
    its answers have that the standard has not. It is called from the address ``source``, and over the interface
    ``scope`` where its own is a link-local one.
    """

    __slots__ = ("connection", "connections", "firewalls", "location", "oddities", "scope", "server", "source")

    def __init__(self, location: Url, server: str, services: list[Service], source: str = "", scope: str = "") -> None:
        self.location = location
        self.server = server
        self.connections = connection_services(services)
        self.connection = self.connections[0] if self.connections else None
        self.firewalls = firewall_services(services)
        self.oddities: list[str] = []
        self.source = source
        self.scope = scope

    def call(self, service: Service, action: str, arguments: dict[str, str], deadline: Deadline) -> Values:
        """What ``action`` gives back. Raises IgdError (the router's fault), ValueError (no answer of UPnP's), OSError."""
        fields, body = call_request(service, action, arguments)
        limit = Deadline(deadline.within(_LONGEST_CALL))
        answer = exchange_http(service.control, "POST", fields, body, limit, self.source, self.scope)
        oddities = list(answer.oddities)
        try:
            return read_call_reply(answer.status, answer.body, action, oddities)
        finally:
            self.oddities += [each for each in oddities if each not in self.oddities]


def find_igd(
    gateway: str,
    deadline: Deadline,
    asked: list[str],
    source: str = "",
    closed: threading.Event | None = None,
    patience: float = _LONGEST_CALL,
) -> Igd | None:
    """The gateway as UPnP describes it; None where it does not answer.

    One socket asks the gateway and then the group: a firewall that keeps track lets the gateway's own answers in only.
    ``asked`` gets a line for each thing that happened. ``closed`` tells that the gateway takes no question of its own;
    the group is given as long as it may take (MX) all the same. Once the gateway has answered it has ``patience``
    seconds for its description. Raises Unreadable where it answers, but describes no router.
    """
    refused: dict[str, str] = {}
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
                found = _look_at(data, gateway, refused, patience, asked, source)
                if found is not None:
                    return found
    if seen >= _MOST_ANSWERS:
        asked.append(f"UPnP: more than {_MOST_ANSWERS} answers to a search, none of them usable")
    if refused:
        # What a description says is worth more than noise on the port of searches.
        raise Unreadable(next((words for place, words in refused.items() if place), "") or refused[""])
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
    data: bytes, gateway: str, refused: dict[str, str], patience: float, asked: list[str], source: str
) -> Igd | None:
    """The router that this answer leads to; None where it leads nowhere, or elsewhere, with the reason in ``refused``."""
    if not data:
        return None
    try:
        reply = ssdp.read_reply(data)
    except ValueError as error:
        refused.setdefault("", str(error))
        return None
    if reply.location in refused:
        return None
    try:
        location = read_url(reply.location)
        if location.host != gateway:
            raise ValueError("it leads to another machine than the gateway")
        began = time.monotonic()
        answer = exchange_http(
            location, "GET", [("Host", location.authority), ("Connection", "close")], b"", Deadline(patience), source
        )
        if answer.status != 200:
            raise ValueError(f"HTTP status {answer.status}")
        oddities = list(answer.oddities)
        igd = Igd(location, reply.server, read_description(answer.body, location, oddities), source)
        took = time.monotonic() - began
        igd.oddities = ([f"its description took {took:.1f} s"] if took > _SLOW else []) + oddities
        if igd.connection is None and not igd.firewalls:
            raise ValueError("; ".join(["it describes no router that maps ports", *oddities]))
    except (OSError, ValueError) as error:
        refused[reply.location] = f"its description at {reply.location[:120]!r} cannot be used: {error}"
        asked.append(f"UPnP description {reply.location[:120]!r}: {error}")
        return None
    asked.append(f"UPnP description {reply.location}: {igd.connection.type if igd.connection else 'a firewall only'}")
    return igd


def upnp_is_closed(gateway: str, seconds: float) -> bool:
    """Whether the gateway says that nothing listens for searches (an ICMP message, which is definite)."""
    from wirecat.port_mapping.exchange import ask_by_datagram

    question = ssdp.search_request(ssdp.TARGETS[0], gateway)
    try:
        ask_by_datagram(gateway, ssdp.PORT, question, lambda data: data, Deadline(seconds))
    except Closed:
        return True
    except OSError:
        return False
    return False
