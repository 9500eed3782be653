"""Authentication fields of HTTP, read and written: challenges and credentials (RFC 9110 section 11).

A server's challenges stand in one comma list, whose members hold comma lists themselves:
``Basic realm="a", Digest realm="b", nonce="c"`` are two challenges. Credentials have the form of one.

>>> [each.scheme for each in parse_challenges(['Basic realm="a", Digest realm="b, c", nonce="d"'])]
['basic', 'digest']
"""

from __future__ import annotations

from wirecat.errors import HttpError
from wirecat.immutable import Immutable
from wirecat.wire.http_headers import TOKEN_CHARACTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

# RFC 9110 section 11.2: the characters of a token68, before the equals signs that fill it up.
_TOKEN68 = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/")


class Challenge(Immutable):
    """One challenge, or the credentials that answer one.

    ``scheme`` is in lower case. What follows it is either ``parameters`` (name in lower case, value without quotes, in
    order) or ``token``, as in ``Basic QWxh…``.
    """

    __slots__ = ("parameters", "scheme", "token")

    scheme: str
    parameters: tuple[tuple[str, str], ...]
    token: str

    def __init__(self, scheme: str, parameters: Iterable[tuple[str, str]] = (), token: str = "") -> None:
        self._set(scheme=scheme.lower(), parameters=tuple(parameters), token=token)

    def get(self, name: str) -> str | None:
        """The value of a parameter, or None."""
        return next((value for other, value in self.parameters if other == name), None)


def quote(text: str) -> str:
    """``text`` as a quoted string (RFC 9110 section 5.6.4).

    >>> quote('a "b"')
    '"a \\\\"b\\\\""'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """The challenges in the values of WWW-Authenticate or Proxy-Authenticate fields, in order.

    Raises HttpError for what is malformed, and for a parameter that stands there twice.
    """
    found: list[Challenge] = []
    for value in values:
        found += _Scanner(value).challenges()
    return found


def parse_credentials(value: str) -> Challenge:
    """The value of an Authorization or Proxy-Authorization field. Raises HttpError (400) for what is malformed."""
    found = _Scanner(value).challenges()
    if len(found) != 1:
        raise HttpError("credentials for other than one scheme")
    return found[0]


class _Scanner:
    """Goes through one field's value once, from left to right."""

    __slots__ = ("_place", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def challenges(self) -> list[Challenge]:
        found: list[Challenge] = []
        while self._skip(" \t,"):
            scheme = self._take(TOKEN_CHARACTERS)
            if not scheme:
                raise _malformed()
            # A scheme is followed by a space, a comma or nothing: anything else is no scheme.
            if self._peek() not in ("", " ", "\t", ","):
                raise _malformed()
            self._skip(" \t")
            token = self._token68()
            found.append(Challenge(scheme, () if token else self._parameters(), token))
        return found

    def _token68(self) -> str:
        """A token68, if one stands here alone up to the next comma or the end; else nothing, and nothing is taken."""
        begin = self._place
        token = self._take(_TOKEN68)
        if token:
            token += self._take("=")
            after = self._place
            self._skip(" \t")
            if self._peek() in ("", ","):
                self._place = after
                return token
        self._place = begin
        return ""

    def _parameters(self) -> Iterable[tuple[str, str]]:
        """The parameters up to the end, or up to a comma behind which the next challenge stands."""
        found: dict[str, str] = {}
        while True:
            begin = self._place
            if not self._skip(" \t,"):
                return found.items()
            behind_comma = "," in self._text[begin : self._place]
            name = self._take(TOKEN_CHARACTERS).lower()
            self._skip(" \t")
            if self._peek() != "=":
                # No parameter, so the next challenge begins here.
                if not (name and behind_comma):
                    raise _malformed()
                self._place = begin
                return found.items()
            self._place += 1
            self._skip(" \t")
            value = self._quoted() if self._peek() == '"' else self._take(TOKEN_CHARACTERS)
            self._skip(" \t")
            if not name or value is None or self._peek() not in ("", ","):
                raise _malformed()
            if name in found:
                raise HttpError(f"the authentication parameter {name!r} stands there twice")
            found[name] = value

    def _quoted(self) -> str | None:
        """A quoted string (RFC 9110 section 5.6.4) without its quotes; None where its end is missing."""
        out = ""
        place = self._place + 1
        while place < len(self._text):
            letter = self._text[place]
            if letter == '"':
                self._place = place + 1
                return out
            if letter == "\\":
                place += 1
                letter = self._text[place : place + 1]
            out += letter
            place += 1
        return None

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _take(self, letters: Container[str]) -> str:
        begin = self._place
        while self._place < len(self._text) and self._text[self._place] in letters:
            self._place += 1
        return self._text[begin : self._place]

    def _skip(self, letters: str) -> bool:
        """Go over these characters; whether anything is left."""
        self._take(letters)
        return self._place < len(self._text)


def _malformed() -> HttpError:
    return HttpError("a malformed authentication field")
