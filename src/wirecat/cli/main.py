"""Dispatch: finds the verb, imports it alone, and turns what it raises into one line and an exit code."""

from __future__ import annotations

import os

from wirecat.cli.environment import Environment
from wirecat.errors import UsageError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# A verb's module, and its line in the help. Nothing of a verb is imported before it is called.
VERBS = {
    "connect": ("wirecat.cli.connect", "talk to a server (--ask: question and answer)"),
    "listen": ("wirecat.cli.start_listen", "wait for one client and talk to it"),
    "serve": ("wirecat.cli.start_serve", "be a server: echo, reply:TEMPLATE, your own function, …"),
    "swarm": ("wirecat.cli.swarm", "put many clients on a server and check every reply"),
    "relay": ("wirecat.cli.relay", "join whoever connects here to somewhere else"),
    "record": ("wirecat.cli.record", "stand in front of a server, and keep what goes through"),
    "show": ("wirecat.cli.show", "show what a recording or a capture holds"),
    "replay": ("wirecat.cli.replay", "play a recording again, and compare the replies"),
    "sockets": ("wirecat.cli.sockets", "list listening sockets and connections, as netstat does"),
    "report": ("wirecat.cli.report", "tell a recording as a page with pictures"),
    "reach": ("wirecat.cli.reach", "can others get to a port of this PC, and what is in the way"),
    "expose": ("wirecat.cli.expose", "let the router pass a port on to this PC, while it runs"),
    "wait": ("wirecat.cli.wait", "wait until a server accepts"),
    "ncat": ("wirecat.cli.ncat.run", "be ncat: its options, its messages, its exit codes"),
    "tour": ("wirecat.cli.tour", "see it all at work, in at most 15 seconds"),
}
_INTERRUPTED = 130  # 128 + SIGINT


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
        environment.flush()
        return code
    except WirecatError as error:
        environment.message(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        if environment.stdin_is_terminal and environment.stderr_is_terminal:
            environment.write_error("\n")  # the shell's prompt gets a line of its own, behind the ^C
        code = _INTERRUPTED
    except Exception as error:
        code = _failed(error, environment)
    _leave(environment)
    return code


def dispatch(arguments: list[str], environment: Environment) -> int:
    """Call the verb that ``arguments`` begin with. Raises UsageError for none or an unknown one."""
    if not arguments:
        environment.write_error(help_text())
        return UsageError.exit_code
    verb, rest = arguments[0], arguments[1:]
    if verb in ("-h", "--help", "help"):
        if verb == "help" and rest:
            return dispatch([rest[0], "--help"], environment)
        environment.write(help_text())
        return 0
    if verb in ("-V", "--version"):
        from wirecat._version import __version__

        environment.write(f"wirecat {__version__}\n")
        return 0
    row = VERBS.get(verb)
    if row is None:
        raise _no_verb(arguments)
    run = _function(row[0])
    _collect_again()
    try:
        code = run(rest, environment)
    except SystemExit as ended:  # argparse's --help
        code = int(ended.code or 0)
    return code


def _collect_again() -> None:
    """Look for garbage from now on, where the start has put that off; what is imported by now is left alone for good."""
    import gc

    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _function(module: str) -> Callable[[list[str], Environment], int]:
    import sys

    __import__(module)
    run: Callable[[list[str], Environment], int] = sys.modules[module].run
    return run


def help_text() -> str:
    """What ``wirecat --help`` prints: it fits a screen."""
    lines = [f"  {verb:<9} {help}" for verb, (_, help) in VERBS.items()]
    return (
        "wirecat: the whole life of a TCP conversation\n"
        "  wirecat serve echo               # a server on port 12345 of this PC\n"
        "  wirecat connect 12345            # and a client that talks to it\n\n" + "\n".join(lines) + "\n\n"
        "Addresses: 12345 (this PC)  host:12345  [::1]:12345  :12345 (all)  unix:///path\n"
        "Exit codes: 0 done, 1 network failure, port taken, 2 wrong use, 130 Ctrl-C.\n"
        "wirecat VERB --help tells the rest, wirecat --version the version.\n"
    )


def _no_verb(arguments: list[str]) -> UsageError:
    """What to say to whoever began with something else: an option, an address, a misspelt verb."""
    from wirecat.secret import hide_in_words

    arguments = hide_in_words(arguments)
    verb = arguments[0]
    if verb.startswith("-"):
        return UsageError(f"an option before the verb: {verb!r}", hint=f"Write it behind: wirecat VERB … {verb}")
    if any(letter.isdigit() for letter in verb):
        return UsageError(f"unknown verb {verb!r}", hint=f"To talk to a server: wirecat connect {' '.join(arguments)}")
    import difflib

    close = difflib.get_close_matches(verb, VERBS, 1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    return UsageError(f"unknown verb {verb!r}{meant}", hint=f"There are: {', '.join(VERBS)}. See: wirecat --help")


def _failed(error: Exception, environment: Environment) -> int:
    """Say what an error means that is none of wirecat's own; the exit code."""
    import errno

    # What only a write(2) to standard output can still raise here: all that the network says comes as a WirecatError.
    full = (errno.EIO, errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
    if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.EBADF, *full) and error.filename is None:
        from wirecat.endpoints.failures import output_failure

        told = output_failure(error)
        environment.message(str(told))
        return told.exit_code
    environment.message(_as_a_bug(error, environment))
    return UsageError.exit_code


def _as_a_bug(error: Exception, environment: Environment) -> str:
    if environment.variables.get("WIRECAT_DEBUG"):
        import traceback

        environment.write_messages("".join(traceback.format_exception(error)).splitlines())
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
