"""Secrets: passwords as values that cannot be printed, and command lines shown without those in them.

A password that a message, a log, a recording or a traceback repeats is passed on with it. So whatever holds one holds a
``Secret``: every way to text gives ``***``, and ``reveal`` is the one way to the value.

Where the native commands and the library take USER:PASSWORD, they take ``@FILE`` as well, whose first line is that. A word
of a command line can be seen by every user of the machine (``ps``); a file and an environment variable cannot.
"""

from __future__ import annotations

from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"
#: Environment variables that hold one: programs that wirecat starts for others do not inherit them.
VARIABLES = ("WIRECAT_PROXY_AUTH", "WIRECAT_SERVE_AUTH", "NCAT_PROXY_AUTH")
#: Options of addresses, flags, and built-in handlers whose value is one.
OPTIONS = ("proxy_auth",)
_FLAGS = ("--proxy-auth",)
_HANDLERS = ("proxy",)


class Secret:
    """A text that is not shown: ``str``, ``repr``, ``format`` and pickles of it give ``***``.

    >>> password = Secret("open sesame")
    >>> f"{password} {password!r}", password.reveal()
    ('*** ***', 'open sesame')
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def of(cls, text: str | Secret) -> Secret:
        """The secret that a user wrote: ``@FILE`` is the first line of FILE, anything else is the secret itself."""
        if isinstance(text, Secret):
            return text
        return SecretFile(text[1:]) if text.startswith("@") else cls(text)

    def reveal(self) -> str:
        """The value itself, for the one who has to send or to compare it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._value == other._value

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Secret, (HIDDEN,)


class SecretFile(Secret):
    """The first line of a file, read when it is revealed. What can be shown of it is ``@FILE``."""

    __slots__ = ()

    def reveal(self) -> str:
        """The first line, without its end. Raises UsageError for a file that cannot be read or begins with an empty
        line."""
        try:
            with open(self._value, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
                line = file.readline().rstrip("\r\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(reason, address=self._value, step="secret", errno=getattr(error, "errno", None)) from error
        if not line:
            raise UsageError("its first line is empty", address=self._value, step="secret", hint="Write USER:PASSWORD")
        return line

    def __repr__(self) -> str:
        return f"@{self._value}"

    def __reduce__(self) -> tuple[object, ...]:
        return SecretFile, (self._value,)


def split_userinfo(url: str) -> tuple[str, str]:
    """A URL without the user name and password in it (RFC 3986 section 3.2.1), and those, escaped as they are there.

    >>> split_userinfo("http://me:word@host:3128")
    ('http://host:3128', 'me:word')
    """
    scheme, slashes, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    userinfo, at, host = authority.rpartition("@")
    return (f"{scheme}{slashes}{host}{slash}{path}", userinfo) if slashes and at else (url, "")


def hide_in_address(text: str) -> str:
    """An address as the user wrote it, for a message: without what may be a password in it.

    A text that is no address is read generously: all up to its last ``@`` may be a user name and password.

    >>> hide_in_address("http://me:word@host:3128"), hide_in_address("host:1?proxy_auth=me:word&family=4")
    ('http://***@host:3128', 'host:1?proxy_auth=***&family=4')
    """
    head, mark, query = text.partition("?")
    pairs = query.split("&") if mark else []
    for place, pair in enumerate(pairs):
        name, equals, value = pair.partition("=")
        if name in OPTIONS and equals:
            pairs[place] = pair if value.startswith("@") else f"{name}={HIDDEN}"
        elif name == "proxy":
            pairs[place] = f"{name}{equals}{_hide_before_at(value)}"
        elif "@" in name or "@" in value[1:]:  # the question mark may be one of a password
            return _hide_before_at(text)
    return f"{_hide_before_at(head)}{mark}{'&'.join(pairs)}"


def _hide_before_at(text: str) -> str:
    head, at, host = text.rpartition("@")
    scheme, slashes, _ = head.partition("://")
    return f"{scheme}{slashes}{HIDDEN}{at}{host}" if at and slashes else f"{HIDDEN}{at}{host}" if at else text


def hide_in_handler(spec: str) -> str:
    """A handler as the user wrote it, without the password in it.

    >>> hide_in_handler("proxy:me:word"), hide_in_handler("proxy?body=9:me:word"), hide_in_handler("proxy:@FILE")
    ('proxy:***', 'proxy?body=9:***', 'proxy:@FILE')
    >>> hide_in_handler("reply:hello")
    'reply:hello'
    """
    name, colon, argument = spec.partition(":")
    hidden = name.partition("?")[0] in _HANDLERS and argument and not argument.startswith("@")
    return f"{name}{colon}{HIDDEN}" if hidden else spec


def hide_in_words(words: Iterable[str]) -> list[str]:
    """The words of a command line, for a message, without the passwords in them.

    >>> hide_in_words(["connect", "--proxy-auth", "me:word", "--proxy", "http://me:word@host"])
    ['connect', '--proxy-auth', '***', '--proxy', 'http://***@host']
    """
    shown: list[str] = []
    secret = False
    for word in words:
        flag, equals, value = word.partition("=")
        if secret:
            shown.append(word if word.startswith("@") else HIDDEN)
        elif flag in _FLAGS and equals:
            shown.append(word if value.startswith("@") else f"{flag}={HIDDEN}")
        else:
            shown.append(hide_in_address(hide_in_handler(word)))
        secret = not secret and word in _FLAGS
    return shown
