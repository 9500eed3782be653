"""Dispatch: finds the verb, imports it alone, and turns what it raises into one line and an exit code."""

from __future__ import annotations

import os

from wirecat.cli.environment import Environment
from wirecat.errors import OutputClosed, UsageError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# A verb's module, and its line in the help. Nothing of a verb is imported before it is called.
VERBS = {
    "connect": ("wirecat.cli.connect", "talk to a server (--ask: question and answer)"),
    "listen": ("wirecat.cli.listen", "wait for one client and talk to it"),
    "serve": ("wirecat.cli.serve", "be a server: echo, reply:TEMPLATE, your own function, …"),
    "swarm": ("wirecat.cli.swarm", "put many clients on a server and check every reply"),
    "sockets": ("wirecat.cli.sockets", "list listening sockets and connections, as netstat does"),
    "wait": ("wirecat.cli.wait", "wait until a server accepts"),
    "tour": ("wirecat.cli.tour", "see it all at work, in at most 15 seconds"),
}
_INTERRUPTED = 130  # 128 + SIGINT
_OUTPUT_CLOSED = OutputClosed.exit_code


def main(arguments: list[str]) -> int:
    """Run ``wirecat`` with ``arguments`` and return the exit code; never raises, never prints a traceback."""
    environment = Environment.of_process()
    try:
        return _guarded(arguments, environment)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _guarded(arguments: list[str], environment: Environment) -> int:
    try:
        code = dispatch(arguments, environment)
        environment.stdout.flush()
        return code
    except WirecatError as error:
        environment.message(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        environment.message("standard output was closed before all of it was written")
        code = _OUTPUT_CLOSED
    except Exception as error:
        environment.message(_as_a_bug(error, environment))
        code = 2
    _leave(environment)
    return code


def dispatch(arguments: list[str], environment: Environment) -> int:
    """Call the verb that ``arguments`` begin with. Raises UsageError for none or an unknown one."""
    if not arguments:
        environment.write_error(help_text())
        return UsageError.exit_code
    verb, rest = arguments[0], arguments[1:]
    if verb in ("-h", "--help", "help"):
        if verb == "help" and rest and rest[0] in VERBS:
            return dispatch([rest[0], "--help"], environment)
        environment.stdout.write(help_text())
        return 0
    if verb in ("-V", "--version"):
        from wirecat._version import __version__

        environment.stdout.write(f"wirecat {__version__}\n")
        return 0
    row = VERBS.get(verb)
    if row is None:
        raise UsageError(f"unknown verb {verb!r}{_meant(verb)}", hint=f"There are: {', '.join(VERBS)}. See: wirecat --help")
    try:
        code = _function(row[0])(rest, environment)
    except SystemExit as ended:  # argparse's --help
        code = int(ended.code or 0)
    return code


def _function(module: str) -> Callable[[list[str], Environment], int]:
    import sys

    __import__(module)
    run: Callable[[list[str], Environment], int] = sys.modules[module].run
    return run


def help_text() -> str:
    """What ``wirecat --help`` prints: it fits a screen."""
    lines = [f"  {verb:<9} {help}" for verb, (_, help) in VERBS.items()]
    return (
        "wirecat: the whole life of a TCP conversation\n\n"
        "  wirecat serve echo               # a server on port 12345 of this PC\n"
        "  wirecat connect 12345            # and a client that talks to it\n\n"
        "Verbs:\n" + "\n".join(lines) + "\n\n"
        "Addresses: 12345 (this PC)  host:12345  [::1]:12345  :12345 (all interfaces)  unix:///path\n"
        "Exit codes: 0 done, 1 the network said no, 2 wrong use, 130 Ctrl-C.\n"
        "wirecat VERB --help tells the rest; wirecat --version the version.\n"
    )


def _meant(verb: str) -> str:
    """A guess at a misspelt verb."""
    import difflib

    close = difflib.get_close_matches(verb, VERBS, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _as_a_bug(error: Exception, environment: Environment) -> str:
    if environment.variables.get("WIRECAT_DEBUG"):
        import traceback

        environment.write_error("".join(traceback.format_exception(error)))
    text = " ".join(str(error).split())
    return f"a fault of wirecat's own: {type(error).__name__}: {text} (WIRECAT_DEBUG=1 shows where)"


def _leave(environment: Environment) -> None:
    """Flush what can be flushed; where the reader has gone, let Python's own flush at the end not complain as well."""
    try:
        environment.stdout.flush()
    except (OSError, ValueError):
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, environment.stdout.fileno())
            os.close(null)
        except (OSError, ValueError):
            return  # there is nothing left to flush to
