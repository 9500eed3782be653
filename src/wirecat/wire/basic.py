"""Basic authentication: a user name and password in base 64, which hides nothing (RFC 7617)."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from wirecat.errors import UsageError
from wirecat.wire.http_challenge import Challenge


def basic_credentials(user: str, password: str) -> str:
    """The value of an Authorization field. Raises UsageError for a colon in the name, and for control characters.

    >>> basic_credentials("Aladdin", "open sesame")
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='
    """
    if ":" in user:
        raise UsageError("a user name cannot hold a colon in Basic authentication")
    if not all(letter >= " " and letter != "\x7f" for letter in user + password):
        raise UsageError("a user name or password cannot hold control characters in Basic authentication")
    together = f"{user}:{password}".encode("utf-8", "surrogateescape")
    return f"Basic {b2a_base64(together, newline=False).decode('ascii')}"


def read_basic(credentials: Challenge) -> tuple[str, str] | None:
    """User name and password of Basic credentials (UTF-8); None for what holds none.

    >>> read_basic(Challenge("Basic", token="dGVzdDoxMjPCow=="))
    ('test', '123£')
    """
    try:
        token = credentials.token.encode("ascii")
        together = a2b_base64(token)
    except (Error, UnicodeError):
        return None
    # What Python's decoder lets pass besides (odd padding, foreign characters) differs from version to version.
    if b2a_base64(together, newline=False) != token:
        return None
    user, colon, password = together.decode("utf-8", "surrogateescape").partition(":")
    return (user, password) if colon else None
