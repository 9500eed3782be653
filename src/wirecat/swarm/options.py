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


class SwarmOptions(Immutable):
    """How many clients there are, what each says, and what it takes for a right reply.

    ``clients``: how many are connected at once. ``messages``: how many each sends, one after the reply to the
    one before (10 if neither this nor ``duration`` is given); or ``duration``: seconds for which each goes on
    sending. ``message``: the text of a message, in which ``{client}`` and ``{n}`` become the numbers of the
    client and of its message, both from 1. ``newline``: what ends a message: ``lf``, ``crlf`` or ``none``.
    ``expect``: None (any bytes are taken for the reply, and nothing is checked), ``echo`` (the reply is what
    was sent), or a template of the whole reply, in which ``{data}`` becomes what was sent, its newline
    included. ``timeout``: seconds that a client may take to connect. ``reply_timeout``: seconds that it waits
    for one reply. ``connect_rate``: how many clients begin to connect in a
    second (None: 500 for up to 1,000 clients, 2,000 for more).
    """

    __slots__ = (
        "clients", "messages", "duration", "message", "newline", "expect", "timeout", "reply_timeout",
        "connect_rate",
    )  # fmt: skip

    clients: int
    messages: int | None
    duration: float | None
    message: str
    newline: str
    expect: str | None
    timeout: float
    reply_timeout: float
    connect_rate: float

    def __init__(
        self,
        clients: int,
        *,
        messages: int | None = None,
        duration: float | None = None,
        message: str = DEFAULT_MESSAGE,
        newline: str = "lf",
        expect: str | None = None,
        timeout: float = 10.0,
        reply_timeout: float = 10.0,
        connect_rate: float | None = None,
    ) -> None:
        """Raises UsageError for a value that cannot be, and for ``messages`` together with ``duration``."""
        for name, value in (("clients", clients), ("timeout", timeout), ("reply_timeout", reply_timeout)):
            if value is None:
                raise UsageError(f"{name} must be given")
        require_number("clients", clients, least=1, whole=True)
        require_number("messages", messages, least=1, whole=True)
        require_number("duration", duration, least=0, above=True)
        require_number("timeout", timeout, least=0, above=True)
        require_number("reply_timeout", reply_timeout, least=0, above=True)
        require_number("connect_rate", connect_rate, least=0, above=True)
        if connect_rate is None:
            connect_rate = CAREFUL_CONNECT_RATE if clients <= CAREFUL_CLIENTS else CONNECT_RATE
        if messages is not None and duration is not None:
            raise UsageError("messages and duration exclude each other", hint="Say how many, or how long.")
        if newline not in NEWLINES:
            raise UsageError(f"unknown newline {newline!r}", hint=f"There are: {', '.join(NEWLINES)}.")
        if not message and not NEWLINES[newline]:
            raise UsageError("an empty message without a newline is nothing that could be sent")
        if expect == "":
            raise UsageError("expect is empty: no reply can be waited for", hint="Without it any will do.")
        if messages is None and duration is None:
            messages = DEFAULT_MESSAGES
        self._set(
            clients=clients, messages=messages, duration=duration, message=message, newline=newline,
            expect=expect, timeout=timeout, reply_timeout=reply_timeout, connect_rate=connect_rate,
        )  # fmt: skip
