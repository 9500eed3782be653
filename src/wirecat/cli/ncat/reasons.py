"""The reason of a failure in the words of strerror(3), as ncat tells it."""

from __future__ import annotations

import os

from wirecat.errors import UnknownHost, WirecatError

_NO_FAMILY = "Address family for hostname not supported"
NO_NAME = "Name or service not known"


def reason_of(error: OSError | WirecatError) -> str:
    """``Connection refused`` and its like; where the system gave no number, what the library says."""
    if error.errno:
        return os.strerror(error.errno)
    return error.message if isinstance(error, WirecatError) else (error.strerror or str(error))


def lookup_reason(error: UnknownHost) -> str:
    """What getaddrinfo(3) said; a host that has addresses of another family only was not asked for by it."""
    if isinstance(error.__cause__, OSError):
        return error.__cause__.strerror or str(error.__cause__)
    return NO_NAME if error.errno else _NO_FAMILY


def sentence(error: WirecatError) -> str:
    """What the library says, with what to try, as a sentence of ncat's kind."""
    text = f"{error.message}. {error.hint}" if error.hint else error.message
    return text if text.endswith(".") else f"{text}."
