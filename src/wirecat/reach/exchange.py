"""Questions to a router: a datagram and its answer, and one bounded HTTP exchange, each within a deadline."""

from __future__ import annotations

import socket

from wirecat.errors import HttpError
from wirecat.wire.http_body import response_body
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import RequestHead
from wirecat.wire.http_reader import ResponseReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from wirecat.deadline import Deadline
    from wirecat.wire.igd import Url

    T = TypeVar("T")

# Seconds after which a question is asked again, where nothing has come: a datagram may be lost (RFC 6886 section 3.1).
FIRST_WAIT = 0.25
# Answers that are looked at, at most: who sends more than that is no router.
_MOST_ANSWERS = 100
_LONGEST_DATAGRAM = 4096
LONGEST_BODY = 256 * 1024


class Closed(OSError):
    """The other machine says that nothing listens on that port: an answer, and a definite one."""


def family_of(host: str) -> socket.AddressFamily:
    """The address family of a literal."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def socket_address(host: str, port: int) -> tuple[object, ...]:
    """What the socket module takes for a literal, with the scope of a link-local one."""
    if ":" not in host:
        return (host, port)
    address, _, scope = host.partition("%")
    number = 0
    if scope:
        number = int(scope) if scope.isdigit() else socket.if_nametoindex(scope)
    return (address, port, 0, number)


def ask_by_datagram(
    host: str, port: int, question: bytes, read: Callable[[bytes], T | None], deadline: Deadline, source: str = ""
) -> T | None:
    """The first answer that ``read`` makes something of, or None for silence until the deadline.

    ``read`` raises ValueError for what is no answer, and gives None for one to another question. Raises Closed, and
    OSError where there is no way there.
    """
    with socket.socket(family_of(host), socket.SOCK_DGRAM) as asking:
        if source:
            asking.bind(socket_address(source, 0))
        # Connected: the kernel takes answers from there only, and tells when nothing listens.
        asking.connect(socket_address(host, port))
        wait = FIRST_WAIT
        answers = 0
        while not deadline.expired and answers < _MOST_ANSWERS:
            try:
                asking.send(question)
                answer, seen = _first_answer(asking, read, deadline.within(wait))
            except ConnectionRefusedError as error:
                raise Closed(str(error)) from error
            answers += seen
            if answer is not None:
                return answer
            wait *= 2
    return None


def _first_answer(asking: socket.socket, read: Callable[[bytes], T | None], seconds: float) -> tuple[T | None, int]:
    from wirecat.deadline import Deadline

    deadline = Deadline(seconds)
    seen = 0
    while not deadline.expired and seen < _MOST_ANSWERS:
        asking.settimeout(max(deadline.within(seconds), 0.001))
        try:
            data = asking.recv(_LONGEST_DATAGRAM)
        except TimeoutError:
            break
        seen += 1
        try:
            answer = read(data)
        except ValueError:
            continue
        if answer is not None:
            return answer, seen
    return None, seen


def exchange_http(
    url: Url,
    method: str,
    fields: list[tuple[str, str]],
    body: bytes,
    deadline: Deadline,
    source: str = "",
    scope: str = "",
) -> tuple[int, bytes]:
    """Status and body of the answer to one request. No proxy, no redirection, at most 256 KiB.

    ``source`` is the address to ask from, ``scope`` the interface of a link-local host: a URL does not name it, and what
    is sent to the host must not (RFC 6874 section 1).
    Raises OSError, HttpError among them (no HTTP, too much of it), and TimeoutError at the deadline.
    """
    head = RequestHead(method, url.target, Headers(fields))
    bound = socket_address(source, 0) if source else None
    with socket.socket(family_of(url.host), socket.SOCK_STREAM) as connection:
        if bound:
            connection.bind(bound)
        connection.settimeout(_left(deadline))
        connection.connect(socket_address(f"{url.host}%{scope}" if scope else url.host, url.port))
        connection.settimeout(_left(deadline))
        connection.sendall(head.to_bytes() + body)
        reader = ResponseReader()
        answer = None
        while answer is None:
            data = _receive(connection, deadline, reader.receive_end)
            if not data:
                raise HttpError("the router closed the connection without an answer", status=502)
            answer = reader.receive(data)
        length = response_body(answer, method)
        content = bytearray(length.receive(reader.rest))
        while not length.done:
            if len(content) > LONGEST_BODY:
                raise HttpError("the router's answer does not end", status=502)
            data = _receive(connection, deadline, length.receive_end)
            content += length.receive(data)
        return answer.status, bytes(content)


def _receive(connection: socket.socket, deadline: Deadline, at_end: Callable[[], None]) -> bytes:
    connection.settimeout(_left(deadline))
    data = connection.recv(65536)
    if not data:
        at_end()
    return data


def _left(deadline: Deadline) -> float:
    """Seconds left, for a socket; a router that sends a byte now and then gets no more of them."""
    left = deadline.within(60.0)
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left
