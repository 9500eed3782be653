"""Parsers of the verbs: argparse, with the examples first, one-line errors, and the options that all verbs share."""

from __future__ import annotations

import argparse
import os

from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from wirecat.cli.environment import Environment


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose help begins with examples and whose errors are UsageErrors."""

    def __init__(self, verb: str, description: str, examples: list[tuple[str, str]]) -> None:
        super().__init__(
            prog=f"wirecat {verb}", description=description, add_help=True, allow_abbrev=False,
            formatter_class=_formatter,
        )  # fmt: skip
        self.verb = verb
        self._examples = examples

    def format_help(self) -> str:
        """The examples, then what argparse writes."""
        width = max(len(command) for command, _ in self._examples)
        lines = [f"  {command:<{width}}   # {meaning}" for command, meaning in self._examples]
        return "Examples:\n" + "\n".join(lines) + "\n\n" + super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise UsageError in place of printing the usage."""
        raise UsageError(message, step=self.verb, hint=f"See: wirecat {self.verb} --help")


def _formatter(prog: str) -> argparse.HelpFormatter:
    """argparse asks the terminal's width by shutil, which every start would pay for with all its compressors."""
    try:
        columns = int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size(1).columns
    except (OSError, ValueError):
        columns = 80
    return argparse.RawDescriptionHelpFormatter(prog, width=max(40, min(columns, 110) - 2))


def make_parser(verb: str, description: str, examples: list[tuple[str, str]]) -> Parser:
    """A parser for ``verb`` with ``-v`` and ``-q``; ``examples`` are commands and what each does."""
    parser = Parser(verb, description, examples)
    parser.add_argument("-v", "--verbose", action="count", default=0, help="tell more on stderr")
    parser.add_argument("-q", "--quiet", action="store_true", help="tell nothing on stderr but errors")
    return parser


def parse(parser: Parser, arguments: list[str], environment: Environment) -> argparse.Namespace:
    """Parse, and take note of ``-q``."""
    # Intermixed: HANDLER --once ADDRESS, as people type it.
    options = parser.parse_intermixed_args(arguments)
    environment.quiet = options.quiet
    return options


def add_address(parser: Parser, what: str, default: str | None = None) -> None:
    """The positional ADDRESS, which may be written as two words, ``HOST PORT``, as netcat users do."""
    count = "+" if default is None else "*"
    parser.add_argument("address", nargs=count, metavar="ADDRESS", help=f"{what}: 12345, host:12345, [::1]:12345 or HOST PORT")


def joined_address(parser: Parser, words: list[str], default: str = "") -> str:
    """The address of one or two words."""
    if not words:
        return default
    if len(words) == 1:
        return words[0]
    if len(words) > 2:
        parser.error(f"too many arguments: {' '.join(words[2:])}")
    host, port = words
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def seconds(text: str) -> float:
    """A number of seconds for argparse: ``2``, ``0.5``, ``500ms``, ``2s``, ``1m``, ``1h``."""
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if text.endswith(unit) and text[: -len(unit)]:
            text = text[: -len(unit)]
            break
    else:
        factor = 1.0
    try:
        value = float(text) * factor
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: seconds are a number of at least 0")
    return value


def whole(text: str) -> int:
    """A whole number for argparse."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
