"""What a swarm is to do, as one immutable value that is checked before any socket opens."""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.immutable import Immutable
from wirecat.options import require_number

NEWLINES = {"lf": b"\n", "crlf": b"\r\n", "none": b""}

#: Short, so that a server which reads 30 bytes at a time still takes it whole, and different each time, so
#: that a reply which belongs to another client or another message is noticed.
DEFAULT_MESSAGE = "client {client} says {n}"
DEFAULT_MESSAGES = 10

#: New connections a second. A server that starts a thread for each accepts two to four thousand a second, and
#: whoever finds its queue full waits a second and more for the next try of the kernel (RFC 6298 section 2.1).
#: Textbook servers listen with a queue of 5, so a small crowd comes slowly; thousands meet a server made for them.
CAREFUL_CONNECT_RATE = 500.0
CONNECT_RATE = 2000.0
CAREFUL_CLIENTS = 1000

#: How the clients take turns: each sends when it has its reply; each sends when its time has come; each connects
#: and closes and says nothing.
CLOSED_LOOP, OPEN_LOOP, CONNECTS = MODES = ("closed loop", "open loop", "connects")


class SwarmOptions(Immutable):
    """How many clients there are, what each says, when, and what it takes for a right reply.

    ``clients``: how many are connected at once. ``messages``: how many each sends (10 if neither this nor
    ``duration`` is given); or ``duration``: seconds for which each goes on sending.

    ``message``: the text of a message, in which ``{client}`` and ``{n}`` become the numbers of the client and of its
    message, both from 1. In its place ``size``: bytes of a message, its newline included, filled by the swarm; or
    ``payload``: bytes to send as they stand. ``newline``: what ends a message: ``lf`` (the default, but for a payload),
    ``crlf`` or ``none``. ``expect``: None (any bytes are taken for the reply, and nothing is checked), ``echo`` (the
    reply is what was sent), or a template of the whole reply, in which ``{data}`` becomes what was sent, its newline
    included.

    ``rate``: requests in a second by all clients together, each at its time, whether the last reply is there or not (an
    open loop; a client whose reply is late sends the next one as soon as it can, at most 1 s after ``duration``).
    Without it each sends when it has its reply, after a pause of ``think`` seconds. ``connects``: nothing is sent;
    each client connects, closes, and does it again, ``messages`` times or for ``duration`` seconds; ``rate`` then is
    connects in a second.

    ``timeout``: seconds that a client may take to connect. ``reply_timeout``: seconds that it waits for one reply.
    ``connect_rate``: how many clients begin to connect in a second (None: 500 for up to 1,000 clients, 2,000 for more).
    ``workers``: processes that the clients are spread over.
    """

    __slots__ = (
        "clients", "messages", "duration", "message", "size", "payload", "newline", "expect", "rate", "think",
        "connects", "timeout", "reply_timeout", "connect_rate", "workers",
    )  # fmt: skip

    clients: int
    messages: int | None
    duration: float | None
    message: str | None
    size: int | None
    payload: bytes | None
    newline: str
    expect: str | None
    rate: float | None
    think: float
    connects: bool
    timeout: float
    reply_timeout: float
    connect_rate: float
    workers: int

    def __init__(
        self,
        clients: int,
        *,
        messages: int | None = None,
        duration: float | None = None,
        message: str | None = None,
        size: int | None = None,
        payload: bytes | None = None,
        newline: str | None = None,
        expect: str | None = None,
        rate: float | None = None,
        think: float = 0.0,
        connects: bool = False,
        timeout: float = 10.0,
        reply_timeout: float = 10.0,
        connect_rate: float | None = None,
        workers: int = 1,
    ) -> None:
        """Raises UsageError for a value that cannot be, and for values that exclude each other."""
        require_number("clients", clients, least=1, whole=True, required=True)
        require_number("messages", messages, least=1, whole=True)
        require_number("duration", duration, least=0, above=True)
        require_number("size", size, least=1, whole=True)
        require_number("rate", rate, least=0, above=True)
        require_number("think", think, least=0, required=True)
        require_number("timeout", timeout, least=0, above=True, required=True)
        require_number("reply_timeout", reply_timeout, least=0, above=True, required=True)
        require_number("connect_rate", connect_rate, least=0, above=True)
        require_number("workers", workers, least=1, whole=True, required=True)
        if workers > clients:
            raise UsageError(f"{workers} workers are too many for {clients} clients", hint="Each needs one at least.")
        if connect_rate is None:
            connect_rate = CAREFUL_CONNECT_RATE if clients <= CAREFUL_CLIENTS else CONNECT_RATE
        if messages is not None and duration is not None:
            raise UsageError("messages and duration exclude each other", hint="Say how many, or how long.")
        if messages is None and duration is None:
            messages = DEFAULT_MESSAGES
        if rate is not None and think:
            raise UsageError("rate and think exclude each other", hint="With a rate each message has its time.")
        if connects:
            ending = None if newline == "none" else newline
            said = {"message": message, "size": size, "payload": payload, "newline": ending, "expect": expect}
            _exclude("connects", {name: value for name, value in said.items() if value is not None})
            newline = "none"
        else:
            message, newline = _checked_message(message, size, payload, newline)
        if expect == "":
            raise UsageError("expect is empty: no reply can be waited for", hint="Without it any will do.")
        self._set(
            clients=clients, messages=messages, duration=duration, message=message, size=size, payload=payload,
            newline=newline, expect=expect, rate=rate, think=think, connects=connects, timeout=timeout,
            reply_timeout=reply_timeout, connect_rate=connect_rate, workers=workers,
        )  # fmt: skip

    @property
    def mode(self) -> str:
        """One of MODES."""
        if self.connects:
            return CONNECTS
        return CLOSED_LOOP if self.rate is None else OPEN_LOOP


def _exclude(name: str, others: dict[str, object]) -> None:
    if others:
        raise UsageError(f"{name} and {', '.join(others)} exclude each other", hint="Nothing is sent to be answered.")


def _checked_message(
    message: str | None, size: int | None, payload: bytes | None, newline: str | None
) -> tuple[str | None, str]:
    """The message's text, where it is one, and its newline. Raises UsageError."""
    if sum(each is not None for each in (message, size, payload)) > 1:
        raise UsageError("message, size and payload exclude each other", hint="Take one of them.")
    if newline is None:
        newline = "lf" if payload is None else "none"
    if newline not in NEWLINES:
        raise UsageError(f"unknown newline {newline!r}", hint=f"There are: {', '.join(NEWLINES)}.")
    if payload is not None and not isinstance(payload, bytes):
        raise UsageError("payload takes bytes", hint="A text: payload=text.encode().")
    if size is not None and size < len(NEWLINES[newline]):
        raise UsageError(f"a message of {size} bytes has no room for its newline")
    if message is None and size is None and payload is None:
        message = DEFAULT_MESSAGE
    if not NEWLINES[newline] and (message == "" or payload == b""):
        raise UsageError("an empty message without a newline is nothing that could be sent")
    return message, newline
