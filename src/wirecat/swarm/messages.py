"""What the clients say and what they expect to hear: from the options to bytes."""

from __future__ import annotations

from wirecat.swarm.options import NEWLINES
from wirecat.wire.template import Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.swarm.options import SwarmOptions

    MakeMessage = Callable[[int], bytes]
    MakeReply = Callable[[bytes], bytes]

#: What fills a message of a given size: the 95 printable characters (RFC 864). Their number has no factor in common
#: with the sizes of buffers, so that a piece which is lost, doubled or out of its place shifts them, and shows.
_FILLER = bytes(range(32, 127))
#: Room for a message's number and some blanks.
_NUMBER_WIDTH = 12


def message_maker(options: SwarmOptions, client: int) -> MakeMessage:
    """A function from a message's number to its bytes, for one client.

    >>> from wirecat.swarm.options import SwarmOptions
    >>> message_maker(SwarmOptions(2, newline="crlf"), 2)(1)
    b'client 2 says 1\\r\\n'
    >>> message_maker(SwarmOptions(2, size=40), 2)(1)
    b'client 2 says 1            !"#$%&\\'()*+,\\n'
    """
    newline = NEWLINES[options.newline]
    if options.payload is not None:
        return _always(options.payload + newline)
    if options.size is not None:
        return _sized(options.size, newline, client)
    text = (options.message or "").encode("utf-8", "surrogateescape") + newline
    parts = text.replace(b"{client}", b"%d" % client).split(b"{n}")
    if len(parts) == 1:
        return _always(parts[0])
    if len(parts) == 2:
        # A bound operator in place of a function of our own: with thousands of clients, each object less that
        # a message touches is a cache line less to be fetched.
        before, after = (part.replace(b"%", b"%%") for part in parts)
        return (before + b"%d" + after).__mod__
    return lambda number: (b"%d" % number).join(parts)


def _always(data: bytes) -> MakeMessage:
    return lambda number: data


def _sized(size: int, newline: bytes, client: int) -> MakeMessage:
    """Messages of ``size`` bytes: who says it, its number, then filler; the last digits of the number if that is all
    that there is room for."""
    before = b"client %d says " % client
    room = size - len(newline)
    rest = room - len(before) - _NUMBER_WIDTH
    if rest < 0:
        return lambda number: (b"%0*d" % (room, number))[-room:] + newline if room else newline
    filler = (_FILLER * (rest // len(_FILLER) + 1))[:rest]
    return (before + b"%%-%dd" % _NUMBER_WIDTH + filler.replace(b"%", b"%%") + newline).__mod__


def reply_maker(options: SwarmOptions) -> MakeReply | None:
    """A function from what was sent to the right reply; None where replies are not checked."""
    if options.expect is None:
        return None
    if options.expect == "echo":
        return _same
    return Template(options.expect).render


def _same(message: bytes) -> bytes:
    return message
