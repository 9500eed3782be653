"""The chat: what one client says is heard by all the others line by line, with a tag that tells who said it.

A client's bytes go to other people's terminals, so what a terminal would obey is escaped. Text in any language stays
readable. Clients that send no line's end are heard all the same: after a moment's silence what they sent is a line.
"""

from __future__ import annotations

import select

from wirecat.server.room import Member, Room
from wirecat.wire.printable import Printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wirecat.connection import Connection

    Escape = Callable[[bytes], bytes]

PIECE = 8192  # bytes read at a time
LARGEST = 65536  # bytes: no datagram has more
LONGEST = 8192  # bytes of one line; what is longer is heard in parts
SILENCE = 0.2  # seconds after which a line counts as whole although its end has not come
NAMED = 20  # who is there is told by name, up to so many


def readable(text: bytes) -> bytes:
    """Text with everything escaped that a terminal would obey (see ``wire.printable``); tabs stay, and CRLF becomes LF.

    >>> readable("Grüße\\x1b[2J".encode()).decode()
    'Grüße\\\\x1b[2J'
    """
    if text.endswith(b"\r\n"):
        text = text[:-2] + b"\n"
    shown = Printable()
    return (shown.feed(text) + shown.finish()).encode("utf-8", "surrogateescape")


def octal(text: bytes) -> bytes:
    r"""Text as ncat's chat shows it: all but printable ASCII, tab and the line's end as ``\ooo``.

    >>> octal(b"a\x1b\tb\n")
    b'a\\033\tb\n'
    """
    return b"".join(_OCTAL[byte] for byte in text)


_OCTAL = [bytes([code]) if 0x20 <= code < 0x7F or code in b"\t\r\n" else b"\\%03o" % code for code in range(256)]


class Chat:
    """Lets the clients of one server talk to each other, and announces who comes and goes. ``room`` has the clients.

    ``number`` gives a client's number, which makes its name ``<userN>`` (default: the connection's). ``escape`` makes a
    line fit to be read. With ``whole_lines`` False each piece is passed on as it arrived, a tag before it. With
    ``list_to_all`` everybody is told who was there already when somebody comes, else only who came.
    """

    def __init__(
        self,
        *,
        number: Callable[[Connection], int] | None = None,
        escape: Escape = readable,
        whole_lines: bool = True,
        list_to_all: bool = False,
    ) -> None:
        self._number = number
        self._escape = escape
        self._whole_lines = whole_lines
        self._list_to_all = list_to_all
        self.room = Room()

    def __call__(self, connection: Connection) -> None:
        """Serve one client until its end."""
        number = connection.id if self._number is None else self._number(connection)
        here = self.room.members
        with self.room.join(connection, f"<user{number}>") as member:
            self._announce_coming(member, here)
            try:
                tag = f"{member.name} ".encode()
                for lines in _lines(connection) if self._whole_lines else _pieces(connection):
                    self.room.send(b"".join(tag + self._escape(line) for line in lines), member)
            finally:
                self.room.leave(member)
                self.room.send(f"<announce> {member.name} is disconnected.\n".encode())

    def say(self, data: bytes, name: str = "<user0>") -> None:
        """Tell all clients something, as from the server itself. Waits as a client that speaks does."""
        self.room.send(f"{name} ".encode() + self._escape(data))

    def _announce_coming(self, member: Member, here: list[Member]) -> None:
        come = f"<announce> {_place(member)} is connected as {member.name}.\n"
        named = here if self._list_to_all else here[:NAMED]
        names = ", ".join(f"{_place(other)} as {other.name}" for other in named) or "nobody"
        if len(named) < len(here):
            names += f" and {len(here) - len(named)} more"
        already = f"<announce> already connected: {names}.\n"
        if self._list_to_all:
            self.room.send((come + already).encode("utf-8", "surrogateescape"))
            return
        self.room.send(come.encode("utf-8", "surrogateescape"), member)
        member.outbox.offer((come + already).encode("utf-8", "surrogateescape"))


def _place(member: Member) -> str:
    """Where a client comes from, as the others may know it: no port, and a Unix domain socket is this PC."""
    return member.connection.peer.host or "localhost"


def _pieces(connection: Connection) -> Iterator[list[bytes]]:
    while (data := connection.receive(_piece(connection))) is not None:
        yield [data]


def _piece(connection: Connection) -> int:
    return LARGEST if connection.stream.keeps_boundaries else PIECE


def _lines(connection: Connection) -> Iterator[list[bytes]]:
    """The lines that have come, each ended by a line feed; also what is left when the client pauses, or ends."""
    held = b""
    while True:
        if held and not _comes_within(connection, SILENCE):
            yield [held + b"\n"]
            held = b""
        data = connection.receive(_piece(connection))
        if data is None:
            break
        if data and connection.stream.keeps_boundaries and not data.endswith(b"\n"):
            data += b"\n"  # a datagram ends a line
        *whole, held = (held + data).split(b"\n")
        lines = [line + b"\n" for line in whole]
        while len(held) > LONGEST:
            cut = LONGEST
            while cut > LONGEST - 3 and held[cut] & 0xC0 == 0x80:  # in the middle of a UTF-8 character
                cut -= 1
            lines.append(held[:cut] + b"\n")
            held = held[cut:]
        if lines:
            yield lines
    if held:
        yield [held + b"\n"]


def _comes_within(connection: Connection, seconds: float) -> bool:
    """Whether anything, the end included, comes from the client within so many seconds."""
    descriptor = connection.stream.fileno()
    if descriptor < 0 or connection.stream.buffered:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], seconds)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def make(argument: str) -> Chat:
    """A chat for the connections of one server; takes no argument."""
    return Chat()
