"""The command ``wirecat sockets``: this machine's listening sockets and connections, once or with --watch."""

from __future__ import annotations

import os
import sys
import time

from wirecat.cli.parsing import Parser, make_parser, parse, seconds, whole
from wirecat.sockets.listing import SocketList, sockets
from wirecat.views.text_sockets import sockets_lines, sockets_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from wirecat.cli.environment import Environment

_SHORTEST_INTERVAL = 0.1
_LONGEST_INTERVAL = 86_400.0
_SLICE = 0.2

# Escape sequences (ECMA-48): clear the screen, go to its corner, erase what is left of a line, of the screen.
_CLEAR = "\x1b[2J"
_HOME = "\x1b[H"
_ERASE_LINE = "\x1b[K"
_ERASE_BELOW = "\x1b[J"


def run(arguments: list[str], environment: Environment) -> int:
    """List the sockets on stdout; what could not be seen is told on stderr. 0: done, 130: ended by Ctrl-C.

    Raises UsageError (exit 2), WirecatError (exit 1) and BrokenPipeError (stdout has been closed).
    """
    parser = _parser()
    options = parse(parser, arguments, environment)
    if options.watch is None:
        listed = _list(options)
        _tell_notes(listed.notes, environment)
        environment.write(_render(listed, options, environment))
        if not listed.rows and not options.json:
            environment.note("there is no such socket")
        return 0
    if not _SHORTEST_INTERVAL <= options.watch <= _LONGEST_INTERVAL:
        parser.error(f"--watch takes {_SHORTEST_INTERVAL} to {_LONGEST_INTERVAL:.0f} seconds, not {options.watch:g}")
    return _watch(options, environment)


def _parser() -> Parser:
    parser = make_parser(
        "sockets",
        "List this machine's listening sockets and active connections, as netstat does.",
        [
            ("wirecat sockets --listening", "who listens, and which process"),
            ("wirecat sockets --port 12345 --watch 1", "one port, again every second"),
        ],
    )
    add = parser.add_argument
    add("--port", type=whole, metavar="PORT", help="only those with this local or remote port")
    add("-l", "--listening", action="store_true", help="only those that others may talk to")
    add("--state", metavar="STATE", help="only those in this state: LISTEN, ESTABLISHED, TIME-WAIT, ...")
    add("--tcp", action="store_true", help="only TCP")
    add("--udp", action="store_true", help="only UDP")
    add("--no-processes", action="store_true", help="do not look for the processes (faster)")
    add("--watch", type=seconds, metavar="SECONDS", help="show them again every SECONDS until Ctrl-C")
    add("--json", action="store_true", help="one JSON document; with --watch one on each line")
    return parser


def _list(options: argparse.Namespace) -> SocketList:
    return sockets(
        port=options.port,
        listening=options.listening,
        state=options.state,
        protocol=None if options.tcp == options.udp else "tcp" if options.tcp else "udp",
        processes=not options.no_processes,
    )


def _render(listed: SocketList, options: argparse.Namespace, environment: Environment) -> str:
    if options.json:
        from wirecat.views.json_sockets import sockets_json

        return sockets_json(listed.rows, one_line=options.watch is not None)
    return sockets_text(listed.rows, width=_size(environment)[0] if environment.stdout_is_terminal else None)


def _watch(options: argparse.Namespace, environment: Environment) -> int:
    """Show the sockets every so many seconds, until Ctrl-C (130) or until nobody reads them any more (0)."""
    on_screen = environment.stdout_is_terminal and not options.json and _obeys_escapes(environment)
    clear = _CLEAR
    told: set[str] = set()
    due = time.monotonic()
    try:
        while True:
            listed = _list(options)
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            if on_screen:
                environment.write(clear + _screen(listed, now, options.watch, environment))
                clear = ""
            else:
                _tell_notes([note for note in listed.notes if note not in told], environment)
                told.update(listed.notes)
                heading = "" if options.json else f"{now}\n"
                environment.write(heading + _render(listed, options, environment))
            due = max(due + options.watch, time.monotonic())
            if not _wait_until(due, environment):
                return 0
    except KeyboardInterrupt:
        if on_screen:
            environment.write("\n")
        return 130


def _screen(listed: SocketList, now: str, interval: float, environment: Environment) -> str:
    """One picture, drawn over the last: the time, the sockets that fit, how many do not, the notes."""
    width, height = _size(environment)
    heading, *rest = sockets_lines(listed.rows, width=width)
    notes = [] if environment.quiet else listed.notes
    room = max(height - 3 - len(notes), 1)
    lines = [f"{now}   sockets: {len(rest)}   every {interval:g} s, Ctrl-C ends", heading, *rest[:room]]
    if len(rest) > room:
        lines[-1] = f"... and {len(rest) - room + 1} more"
    lines += notes
    return _HOME + "\n".join(line[: width - 1] + _ERASE_LINE for line in lines) + _ERASE_BELOW


def _size(environment: Environment) -> tuple[int, int]:
    """The terminal's columns and lines; what a terminal does not tell is taken to be 80 and 24."""
    try:
        columns, lines = os.get_terminal_size(environment.stdout.fileno())
    except (OSError, ValueError):
        columns = lines = 0
    return columns or 80, lines or 24


def _obeys_escapes(environment: Environment) -> bool:
    """Whether the terminal understands escape sequences; a Windows console has to be asked to."""
    if sys.platform != "win32":
        return environment.variables.get("TERM") != "dumb"
    import ctypes

    kernel = ctypes.WinDLL("kernel32")
    kernel.GetStdHandle.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(kernel.GetStdHandle(-11))  # STD_OUTPUT_HANDLE
    mode = ctypes.c_uint32()
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(kernel.SetConsoleMode(handle, mode.value | 4))  # ENABLE_VIRTUAL_TERMINAL_PROCESSING


def _wait_until(due: float, environment: Environment) -> bool:
    """Wait until it is time for the next picture. False, at once, when nobody reads stdout any more."""
    if sys.platform == "win32":
        import threading

        # There is no poll() for a pipe, and Ctrl-C does not cut a wait short: so it is done in slices.
        never = threading.Event()
        while time.monotonic() < due:
            never.wait(_SLICE)
        return True
    import select

    watcher = select.poll()
    try:
        watcher.register(environment.stdout.fileno(), 0)  # no event but the reader's going
    except (OSError, ValueError):  # a stdout without a descriptor
        pass
    return not watcher.poll(max(due - time.monotonic(), 0.0) * 1000)


def _tell_notes(notes: list[str], environment: Environment) -> None:
    for note in notes:
        environment.note(note)
