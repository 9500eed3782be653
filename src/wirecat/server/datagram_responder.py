"""A responder over datagrams: one datagram is one piece, and has at most one answer.

What a responder has to say to a client that comes (``opened``) goes with the answer to its first datagram; RFC 867 has
the daytime so. An empty datagram is a piece like any other. There is no end of a client to be told of.
"""

from __future__ import annotations

from wirecat.errors import DeadlineExpired, UsageError
from wirecat.server.responder import answer_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.connection import Connection
    from wirecat.server.answer_rate import AnswerRate, OnceASecond
    from wirecat.server.registry import Registry
    from wirecat.server.responder import Responder

LARGEST = 65536  # bytes; a UDP datagram has at most 65,527
SPENT = 1.0  # seconds of silence after which a peer is over whose responder has said all; until then it has another one


def drive_datagrams(
    connection: Connection,
    make: Callable[[], Responder],
    rate: AnswerRate,
    told: OnceASecond,
    registry: Registry,
) -> None:
    """The whole life of one peer, with responders that ``make`` makes. Raises what the stream and they raise.

    Answers beyond ``rate`` are not sent, and that is told as a Denied event. This PC itself has no such limit.
    """
    peer = connection.peer
    here = peer.this_pc_only
    responder = make()
    if responder.streams:
        raise UsageError("an answer without end is nothing for datagrams", address=peer)
    greeting = responder.opened()
    spent = False
    while True:
        try:
            data = connection.receive(LARGEST)
        except DeadlineExpired:
            return
        if data is None:
            return
        if spent:
            responder = make()
            greeting = responder.opened()
        answer = None if responder.finished else responder.receive(data)
        if greeting is not None:
            answer, greeting = answer_bytes(greeting) + answer_bytes(answer), None
        if answer is not None:
            if here or rate.allows(peer.host or ""):
                connection.send(answer_bytes(answer))
            elif told.now(peer.host or ""):
                registry.deny(peer, f"more than {rate.limit} answers a second to one host")
        spent = responder.finished
        connection.timeout = SPENT if spent else None
