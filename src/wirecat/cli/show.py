"""The verb ``show``: a recording, or a capture of others, as a transcript."""

from __future__ import annotations

import threading

from wirecat.cli.parsing import Parser, make_parser, parse, seconds, whole
from wirecat.errors import UsageError
from wirecat.recording.reader import Reading, read
from wirecat.recording.selection import Selection, sender_of
from wirecat.views.text_recording import Transcript, heading, shortcomings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from wirecat.cli.environment import Environment
    from wirecat.recording.model import Chunk, Mark

_LOOK_AGAIN = 0.2  # seconds: no system tells everywhere that a file has grown
_TOGETHER = 1 << 16  # characters that are written at once


def run(arguments: list[str], environment: Environment) -> int:
    """Show it; exit code 0, though it be damaged: what could be read was shown, and what could not was said."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    selection = Selection(
        peer=options.peer, connection=options.connection, pattern=options.grep, start=options.start, end=options.end,
        sender=sender_of(options.direction) if options.direction else "",
    )  # fmt: skip
    if options.follow:
        if len(options.recording) > 1:
            raise UsageError("only one file can be followed", step="show")
        _show(options, environment, selection, Reading(tuple(options.recording), _wait))
        return 0
    recording = read(*options.recording)
    if not options.json:
        for line in heading(recording):
            environment.note(line)
    _show(options, environment, selection, Reading(tuple(options.recording)))
    for line in shortcomings(recording):
        environment.message(line)
    return 0


def _wait() -> bool:
    threading.Event().wait(_LOOK_AGAIN)
    return True


def _show(options: Namespace, environment: Environment, selection: Selection, reading: Reading) -> None:
    transcript = Transcript(reading.connections, hexadecimal=options.hex, gap=options.gap)
    if options.json:
        from wirecat.views.json_recording import entry_line

        def lines(entry: Chunk | Mark) -> list[str]:
            return [entry_line(entry, reading.connections)]
    else:
        lines = transcript.lines
    waiting: list[str] = []
    held = 0
    for entry in reading.entries():
        if not selection.wants(entry, reading.connections):
            continue
        for line in lines(entry):
            waiting.append(line + "\n")
            held += len(line)
        if held > _TOGETHER or options.follow:
            environment.write("".join(waiting))
            waiting, held = [], 0
    environment.write("".join(waiting))


def _parser() -> Parser:
    parser = make_parser(
        "show",
        "Show what a RECORDING holds, or a capture of tcpdump or Wireshark (pcapng, pcap), of which several are put\n"
        "together: when, which connection, which way (> by the client, < by the server), and what. Every piece that\n"
        "was sent or received at once begins with its time.",
        [
            ("wirecat show talk.pcapng", "after: wirecat connect 12345 --record talk.pcapng"),
            ("wirecat show talk.pcapng --hex --direction server", "what the server said, byte by byte"),
            ("wirecat show talk.pcapng --grep error --json", "for programs"),
        ],
    )
    add = parser.add_argument
    add("recording", nargs="+", metavar="RECORDING", help="the file, or several (of workers, parts, both sides)")
    add("--hex", action="store_true", help="bytes as hex, with their offsets")
    add("--peer", default="", metavar="ADDR", help="only connections of this host, host:port, :port or path")
    add("--connection", type=whole, metavar="N", help="only the connection of this number")
    add("--direction", default="", metavar="WAY", help="only what the client (>) or the server (<) sent")
    add("--grep", default="", metavar="REGEX", help="only pieces that hold this regular expression")
    add("--from", dest="start", default="", metavar="TIME",
        help="from then on: seconds since the beginning, 14:05:30, or an ISO time")  # fmt: skip
    add("--to", dest="end", default="", metavar="TIME", help="until then")
    add("--gap", type=seconds, default=1.0, metavar="S", help="tell of silences of S seconds (default 1; 0: of none)")
    add("-f", "--follow", action="store_true", help="go on while the recording does")
    add("--json", action="store_true", help="one JSON object a line")
    return parser
