"""How the program ends: ncat's exit codes, and the exceptions that end it with a message."""

from __future__ import annotations

SUCCESS = 0
NETWORK = 1  # refused, reset, timed out
TROUBLE = 2  # everything else: a bad option, a name that does not resolve, an address that cannot be bound


class Ending(Exception):
    """The program ends now with ``code``, and says ``text`` (nothing where it is empty) on stderr.

    ``complaint`` is a line without ncat's name that is written before that: by getopt_long(3), say.
    """

    def __init__(self, text: str, code: int, *, complaint: str = "") -> None:
        super().__init__(text)
        self.complaint = complaint
        self.text = text
        self.code = code


def quitting(text: str) -> Ending:
    """Something other than the network is wrong: exit 2, and the word that ncat puts behind such a message."""
    return Ending(f"{text} QUITTING.", TROUBLE)


def network(text: str) -> Ending:
    """The network said no: exit 1."""
    return Ending(text, NETWORK)
