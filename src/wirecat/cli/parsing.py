"""Parsers of the verbs: argparse, with the examples first, one-line errors, and the options that all verbs share."""

from __future__ import annotations

import argparse
import os

from wirecat.cli.plain import join_address
from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from wirecat.cli.environment import Environment


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose help begins with examples and whose errors are UsageErrors."""

    def __init__(self, verb: str, description: str, examples: list[tuple[str, str]]) -> None:
        self._words: list[str] = []
        super().__init__(
            prog=f"wirecat {verb}", add_help=True, allow_abbrev=False,
            formatter_class=_formatter,
        )  # fmt: skip
        self.verb = verb
        self.environment: Environment | None = None
        self._examples = examples
        self._text = description

    def print_help(self, file: Any = None) -> None:
        """Write the help where results go, and fail as they do: argparse would let a full disk pass for success."""
        if file is None and self.environment is not None:
            self.environment.write(self.format_help())
        else:
            super().print_help(file)

    def format_help(self) -> str:
        """The examples, a short usage, then what argparse writes."""
        width = max(len(command) for command, _ in self._examples)
        lines = [f"  {command:<{width}}   # {meaning}" for command, meaning in self._examples]
        if max(map(len, lines)) > _columns():
            lines = [line for command, meaning in self._examples for line in (f"  {command}", f"      # {meaning}")]
        # Every option stands in the list below, with what it does: a usage that names them all says it twice.
        self.usage = " ".join([self.prog, "[options]", *self._words])
        self.description = _wrapped(self._text, max(40, min(_columns(), 110) - 2))
        return "Examples:\n" + "\n".join(lines) + "\n\n" + super().format_help()

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """As ArgumentParser's, and notes how a positional stands in the usage."""
        action = super().add_argument(*names, **settings)
        if not action.option_strings:
            name = str(action.metavar or action.dest)
            self._words.append(f"[{name}]" if action.nargs in ("?", "*") else name)
        return action

    def error(self, message: str) -> NoReturn:
        """Raise UsageError, in plain words, in place of printing the usage."""
        message = message.removeprefix("argument ")
        message = message.replace(": expected one argument", ": a value is missing")
        if message.startswith("the following arguments are required: "):
            message = f"{message.partition(': ')[2]} is missing"
        head, ignored, _ = message.partition(": ignored explicit argument")
        raise UsageError(
            f"{head} takes no value" if ignored else message, step=self.verb, hint=f"See: wirecat {self.verb} --help"
        )

    def require_known(self, words: list[str]) -> None:
        """Raise UsageError for long options that there are not."""
        long = [word for word in words if word.startswith("--") and word != "--"]
        unknown = [word for word in long if word.partition("=")[0] not in self._option_string_actions]
        if unknown:
            self.unknown(unknown)

    def unknown(self, words: list[str]) -> NoReturn:
        """Raise UsageError for options that there are not; for a single one with a guess at what was meant."""
        if len(words) > 1:
            self.error(f"unknown options {' '.join(word.partition('=')[0] for word in words)}")
        import difflib

        options = [option for option in self._option_string_actions if option.startswith("--")]
        close = difflib.get_close_matches(words[0].partition("=")[0], options, 1, 0.75)
        self.error(f"unknown option {words[0].partition('=')[0]}{f' (did you mean {close[0]}?)' if close else ''}")


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, width=max(40, min(_columns(), 110) - 2))


def _wrapped(text: str, width: int) -> str:
    """Paragraphs filled; indented lines (a table's) kept, and if too long continued in their last column."""
    from textwrap import wrap

    lines: list[str] = []
    paragraph: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line[:1].strip():
            paragraph.append(line)
            continue
        lines += wrap(" ".join(paragraph), width)
        paragraph.clear()
        column = min(line.rfind("  ") + 2, width * 2 // 3)
        lines += wrap(line, width, subsequent_indent=" " * column) or [""]
    return "\n".join(lines).rstrip("\n")


def _columns() -> int:
    """How wide to write. argparse would ask shutil, which every start would pay for with all its compressors."""
    try:
        return int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size(1).columns or 80
    except (OSError, ValueError):
        return 80


def make_parser(verb: str, description: str, examples: list[tuple[str, str]]) -> Parser:
    """A parser for ``verb`` with ``-v`` and ``-q``; ``examples`` are commands and what each does."""
    parser = Parser(verb, description, examples)
    parser.add_argument("-v", "--verbose", action="count", default=0, help="tell more on stderr")
    parser.add_argument("-q", "--quiet", action="store_true", help="tell nothing on stderr but errors")
    return parser


def parse(parser: Parser, arguments: list[str], environment: Environment) -> argparse.Namespace:
    """Parse, and take note of ``-q``."""
    parser.environment = environment
    # Intermixed: HANDLER --once ADDRESS, as people type it.
    # Before argparse, which would tell of a missing ADDRESS first to whoever wrote --hlep.
    parser.require_known(arguments)
    options, unknown = parser.parse_known_intermixed_args(arguments)
    if unknown:
        parser.unknown(unknown)
    environment.quiet = options.quiet
    return options


def add_address(parser: Parser, what: str, default: str | None = None) -> None:
    """The positional ADDRESS, which may be written as two words, ``HOST PORT``, as netcat users do."""
    count = "+" if default is None else "*"
    parser.add_argument(
        "address", nargs=count, metavar="ADDRESS", help=f"{what}: 12345, host:12345, [::1]:12345 or HOST PORT"
    )


def joined_address(parser: Parser, words: list[str], default: str = "") -> str:
    """The address of one or two words; ``default`` for none."""
    if not words:
        return default
    require_address(parser, words)
    return join_address(words)


def require_address(parser: Parser, words: list[str]) -> None:
    """Raise UsageError for words that can be no address to connect to or to listen on."""
    if words[0] == "-":
        parser.error("'-' is standard input and output, which it uses itself; an address is needed")
    if len(words) > 2:
        from wirecat.secret import hide_in_words

        parser.error(f"too many arguments: {' '.join(hide_in_words(words[2:]))}")


def seconds(text: str) -> float:
    """A number of seconds for argparse: ``2``, ``0.5``, ``500ms``, ``2s``, ``1m``, ``1h``."""
    factor = 1.0
    for unit, length in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if text.endswith(unit) and text[: -len(unit)]:
            text, factor = text[: -len(unit)], length
            break
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
