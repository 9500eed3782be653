"""The exception that unwinds a program which a signal asks to end."""

from __future__ import annotations


class Signalled(BaseException):
    """A signal asks the program to end: exit 128 + ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def code(self) -> int:
        """The exit code."""
        return 128 + self.number
