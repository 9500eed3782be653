"""A parser of command lines by the rules of getopt_long(3), driven by a table of options.

Short options cluster (``-lvp80``); a value stands in the same word or is the next one. Long options take two dashes,
may be abbreviated while it is clear which is meant, and take their value behind ``=`` or as the next word. ``--`` ends
the options, ``-`` alone is an operand, and operands may stand anywhere. Errors are worded as glibc words them, because
scripts and people know those words.
"""

from __future__ import annotations

from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Option:
    """One option: ``short`` a letter or ``""``, ``long`` a name or ``""``, ``value`` the name of its value or ``""``.

    ``help`` is its line in the help, ``sets`` the field that it sets and ``kind`` how its value is read; ``differs``
    says, for the documentation, in what it differs from the program that the table speaks for. A ``hidden`` one is not
    in the help. A ``whole`` one cannot be abbreviated: an option that the program does not have must not take an
    abbreviation away from one that it has.
    """

    __slots__ = ("differs", "help", "hidden", "kind", "long", "sets", "short", "value", "whole")

    def __init__(
        self,
        short: str,
        long: str,
        value: str,
        help: str,
        sets: str,
        kind: str,
        *,
        differs: str = "",
        hidden: bool = False,
        whole: bool = False,
    ) -> None:
        self.short = short
        self.long = long
        self.value = value
        self.help = help
        self.sets = sets
        self.kind = kind
        self.differs = differs
        self.hidden = hidden
        self.whole = whole

    @property
    def name(self) -> str:
        """What people call it: ``-l`` where it has a letter, else ``--broker``."""
        return f"-{self.short}" if self.short else f"--{self.long}"


def scan(arguments: Sequence[str], table: Sequence[Option], operands: list[str]) -> Iterator[tuple[Option, str]]:
    """Each option and its value (empty where it takes none), in the order they stand in; operands go into ``operands``.

    Raises UsageError at the word that is wrong, so what stands before it has been given out already.

    >>> table = [Option("l", "listen", "", "", "listen", "flag"), Option("p", "port", "port", "", "port", "text")]
    >>> words = []
    >>> [(option.long, value) for option, value in scan(["-lp", "80", "host", "--po=81"], table, words)], words
    ([('listen', ''), ('port', '80'), ('port', '81')], ['host'])
    """
    letters = {option.short: option for option in table if option.short}
    waiting = list(arguments)
    waiting.reverse()
    while waiting:
        word = waiting.pop()
        if word == "--":
            operands.extend(reversed(waiting))
            return
        if word.startswith("--"):
            yield _long(word[2:], table, waiting)
        elif word.startswith("-") and word != "-":
            yield from _cluster(word[1:], letters, waiting)
        else:
            operands.append(word)


def _cluster(letters: str, table: dict[str, Option], waiting: list[str]) -> Iterator[tuple[Option, str]]:
    for place, letter in enumerate(letters):
        option = table.get(letter)
        if option is None:
            raise UsageError(f"invalid option -- '{letter}'")
        if not option.value:
            yield option, ""
            continue
        value = letters[place + 1 :]
        if not value:
            if not waiting:
                raise UsageError(f"option requires an argument -- '{letter}'")
            value = waiting.pop()
        yield option, value
        return


def _long(word: str, table: Sequence[Option], waiting: list[str]) -> tuple[Option, str]:
    name, equals, value = word.partition("=")
    option = _named(name, table)
    if not option.value:
        if equals:
            raise UsageError(f"option '--{option.long}' doesn't allow an argument")
        return option, ""
    if not equals:
        if not waiting:
            raise UsageError(f"option '--{option.long}' requires an argument")
        value = waiting.pop()
    return option, value


def _named(name: str, table: Sequence[Option]) -> Option:
    """The option of that name, or of the only name that begins so. Two that cannot be told apart by letter and by
    taking a value are the same to getopt_long(3), which then takes the first."""
    begun = []
    for option in table if name else ():
        if option.long == name:
            return option
        if option.long.startswith(name) and not option.whole:
            begun.append(option)
    if not begun:
        raise UsageError(f"unrecognized option '--{name}'")
    first = begun[0]
    others = [each for each in begun if (each.short, bool(each.value)) != (first.short, bool(first.value))]
    if others:
        names = " ".join(f"'--{option.long}'" for option in (first, *others))
        raise UsageError(f"option '--{name}' is ambiguous; possibilities: {names}")
    return first
