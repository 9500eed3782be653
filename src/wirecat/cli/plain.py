"""The plainest command line, ``VERB ADDRESS`` or ``VERB HOST PORT``, read without argparse.

argparse and what it imports cost as much time as all the rest of a start (8 ms), and most command lines have no option.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


#: The flags of a recording (``cli.recording``) where none is given.
NO_RECORDING = {
    "record": None, "record_strict": False, "record_durable": False, "record_limit": None, "record_rotate": None,
}  # fmt: skip


class PlainOptions:
    """Options by their names, as argparse's Namespace has them."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.__dict__.update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def plain_options(arguments: list[str], defaults: Mapping[str, object]) -> PlainOptions | None:
    """The options of a command line that has none: ``defaults``, and its one or two words as ``address``.

    None for any other command line.
    """
    if not 1 <= len(arguments) <= 2 or any(word.startswith("-") for word in arguments):
        return None
    return PlainOptions({**defaults, "address": arguments, "verbose": 0, "quiet": False})


def plain_words(arguments: list[str], flags: tuple[str, ...]) -> list[str] | None:
    """The words of a command line that are no ``flags``; None where one of them may be another option."""
    words = [word for word in arguments if word not in flags]
    return None if any(word.startswith("-") for word in words) else words


def join_address(words: list[str]) -> str:
    """An address of one word, or of two: ``HOST PORT``, as netcat users write it."""
    if len(words) == 1:
        return words[0]
    host, port = words
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"
