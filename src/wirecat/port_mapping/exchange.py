"""Questions to a router: a datagram and its answer, and one bounded HTTP exchange, each within a deadline."""

from __future__ import annotations

import socket
import threading

from wirecat.deadline import Deadline
from wirecat.errors import HttpError
from wirecat.wire.device_http import read_device_response
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import RequestHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from wirecat.wire.device_http import DeviceResponse
    from wirecat.wire.igd import Url

    T = TypeVar("T")

# Seconds after which a question is asked again, where nothing has come: a datagram may be lost (RFC 6886 section 3.1).
FIRST_WAIT = 0.25
# Answers that are looked at, at most: who sends more than that is no router.
_MOST_ANSWERS = 100
_LONGEST_DATAGRAM = 4096
LONGEST_BODY = 256 * 1024
# Seconds to wait for the end of an answer whose document is complete.
_LINGER = 0.25


class Closed(OSError):
    """The other machine says that nothing listens on that port: an answer, and a definite one."""


class Unreadable(OSError):
    """The other machine answers, but not what can be read: ``str()`` says what is wrong with it."""


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

    ``read`` raises ValueError for what is no answer, and gives None for one to another question. Raises Closed,
    Unreadable where ValueError is all that it made of what came, and OSError where there is no way there.
    """
    with socket.socket(family_of(host), socket.SOCK_DGRAM) as asking:
        if source:
            asking.bind(socket_address(source, 0))
        # Connected: the kernel takes answers from there only, and tells when nothing listens.
        asking.connect(socket_address(host, port))
        wait, answers = FIRST_WAIT, 0
        fault = ""
        while not deadline.expired and answers < _MOST_ANSWERS:
            pause = Deadline(deadline.within(wait))
            wait *= 2
            try:
                asking.send(question)
                while not pause.expired and answers < _MOST_ANSWERS:
                    asking.settimeout(max(pause.within(wait), 0.001))
                    data = asking.recv(_LONGEST_DATAGRAM)
                    answers += 1
                    try:
                        answer = read(data)
                    except ValueError as error:
                        fault = str(error)
                        continue
                    if answer is not None:
                        return answer
            except TimeoutError:
                continue
            except ConnectionRefusedError as error:
                raise Closed(str(error)) from error
    if fault:
        raise Unreadable(fault)
    return None


def exchange_http(
    url: Url,
    method: str,
    fields: list[tuple[str, str]],
    body: bytes,
    deadline: Deadline,
    source: str = "",
    scope: str = "",
) -> DeviceResponse:
    """The answer to one request, as far as it can be read. No proxy, no redirection, at most 256 KiB.

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
        data = b""
        answer = None
        while answer is None or not answer.is_framed:
            piece, failure = _receive(connection, deadline if answer is None else Deadline(deadline.within(_LINGER)))
            data += piece
            if len(data) > 2 * LONGEST_BODY:
                raise HttpError("the router's answer does not end", status=502)
            if not data:
                raise failure or HttpError("the router closed the connection without an answer", status=502)
            try:
                answer = read_device_response(data, ended=not piece)
            except HttpError as error:
                # A connection that was cut, or a deadline, says more than the half of a head that it left.
                raise failure or error from None
        if len(answer.body) > LONGEST_BODY:
            raise HttpError("the router's answer is longer than 256 KiB", status=502)
        return answer


def _receive(connection: socket.socket, deadline: Deadline) -> tuple[bytes, OSError | None]:
    """The next piece, or b"" at the end, with the error that ended it."""
    try:
        connection.settimeout(_left(deadline))
        return connection.recv(65536), None
    except OSError as error:
        return b"", error


def _left(deadline: Deadline) -> float:
    """Seconds left, for a socket; a router that sends a byte now and then gets no more of them."""
    left = deadline.within(60.0)
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left
