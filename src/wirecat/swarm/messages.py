"""What the clients say and what they expect to hear: from the templates of the options to bytes."""

from __future__ import annotations

from wirecat.swarm.options import NEWLINES
from wirecat.wire.template import Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.swarm.options import SwarmOptions

    MakeMessage = Callable[[int], bytes]
    MakeReply = Callable[[bytes], bytes]


def message_maker(options: SwarmOptions, client: int) -> MakeMessage:
    """A function from a message's number to its bytes, for one client.

    >>> from wirecat.swarm.options import SwarmOptions
    >>> message_maker(SwarmOptions(2, newline="crlf"), 2)(1)
    b'client 2 says 1\\r\\n'
    """
    text = options.message.encode("utf-8", "surrogateescape") + NEWLINES[options.newline]
    parts = text.replace(b"{client}", b"%d" % client).split(b"{n}")
    if len(parts) == 1:
        constant = parts[0]
        return lambda number: constant
    if len(parts) == 2:
        # A bound operator in place of a function of our own: with thousands of clients, each object less that
        # a message touches is a cache line less to be fetched.
        before, after = (part.replace(b"%", b"%%") for part in parts)
        return (before + b"%d" + after).__mod__
    return lambda number: (b"%d" % number).join(parts)


def reply_maker(options: SwarmOptions) -> MakeReply | None:
    """A function from what was sent to the right reply; None where replies are not checked."""
    if options.expect is None:
        return None
    if options.expect == "echo":
        return _same
    return Template(options.expect).render


def _same(message: bytes) -> bytes:
    return message
