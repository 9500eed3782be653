"""The header fields of an HTTP message, in order, their names told apart without regard to case (RFC 9110 section 5).

Values are text in which each character stands for one byte (ISO 8859-1), so that what is not ASCII passes unharmed.
What could begin a new line or end a message cannot get in: neither from the wire nor by the program's own hand.
"""

from __future__ import annotations

from wirecat.errors import HttpError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

# RFC 9110 section 5.6.2: the characters of a token, which methods and field names are made of.
TOKEN_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
# RFC 9110 section 5.5: a value has no control characters but the tab.
_CONTROL = frozenset(map(chr, (*range(0x09), *range(0x0A, 0x20), 0x7F)))

# RFC 9110 section 7.6.1, RFC 2616 section 13.5.1: fields for the next hop alone, whether Connection names them or not.
HOP_BY_HOP = frozenset(
    (
        "connection", "keep-alive", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    )
)  # fmt: skip


def is_token(text: str) -> bool:
    """Whether ``text`` is a token (RFC 9110 section 5.6.2): a method, a field's name, an algorithm's."""
    return bool(text) and TOKEN_CHARACTERS.issuperset(text)


def is_field_value(text: str) -> bool:
    """Whether ``text`` can be a field's value (RFC 9110 section 5.5): bytes, and no control characters but the tab."""
    return _CONTROL.isdisjoint(text) and (text.isascii() or max(text) <= "\xff")


class Headers:
    """The fields of one message, as they came.

    >>> headers = Headers([("Connection", "X-Mine, close"), ("X-Mine", "1"), ("Accept", "*/*")])
    >>> headers.get("ACCEPT"), headers.tokens("connection")
    ('*/*', ['x-mine', 'close'])
    >>> headers.end_to_end()
    Headers([('Accept', '*/*')])
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        """Raises UsageError for a field that cannot be sent."""
        self._fields: list[tuple[str, str]] = []
        for name, value in fields:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Append a field. Raises UsageError for a name that is no token, or a value with control characters."""
        if not is_token(name):
            raise UsageError(f"{name!r} cannot be the name of a header field")
        if not is_field_value(value):
            raise UsageError(f"{value!r} cannot be the value of the header field {name}")
        self._fields.append((name, value.strip(" \t")))

    def set(self, name: str, value: str) -> None:
        """Take out all fields of that name and append this one. Raises UsageError as ``add`` does."""
        self.remove((name,))
        self.add(name, value)

    def remove(self, names: Collection[str]) -> None:
        """Take out all fields of these names."""
        gone = {name.lower() for name in names}
        self._fields = [field for field in self._fields if field[0].lower() not in gone]

    def get(self, name: str) -> str | None:
        """The first value of that name, or None."""
        return next(iter(self.get_all(name)), None)

    def get_all(self, name: str) -> list[str]:
        """All values of that name, in order."""
        wanted = name.lower()
        return [value for other, value in self._fields if other.lower() == wanted]

    def single(self, name: str) -> str | None:
        """The one value of that name, or None. Raises HttpError (400) where there are several."""
        values = self.get_all(name)
        if len(values) > 1:
            raise HttpError(f"more than one {name} field")
        return values[0] if values else None

    def tokens(self, name: str) -> list[str]:
        """The members of a comma list, of all fields of that name, in lower case (RFC 9110 section 5.6.1).

        For lists whose members hold no quoted commas: Connection, Transfer-Encoding.
        """
        members = (member.strip(" \t").lower() for value in self.get_all(name) for member in value.split(","))
        return [member for member in members if member]

    def end_to_end(self) -> Headers:
        """What a proxy passes on: without the fields for one hop, those that Connection names included.

        The framing goes too where Connection names it: who passes the message on adds its own.
        """
        kept = Headers()
        dropped = HOP_BY_HOP.union(self.tokens("connection"))
        kept._fields = [field for field in self._fields if field[0].lower() not in dropped]
        return kept

    def copy(self) -> Headers:
        """Another of the same fields."""
        other = Headers()
        other._fields = list(self._fields)
        return other

    def to_bytes(self) -> bytes:
        """The fields as lines, without the empty line that ends the head."""
        return "".join(f"{name}: {value}\r\n" for name, value in self._fields).encode("latin-1")

    def __contains__(self, name: str) -> bool:
        return bool(self.get_all(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._fields))

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"
