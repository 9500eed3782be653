"""The verb ``show``: a recording, or a capture of others, as a transcript."""

from __future__ import annotations

import threading

from wirecat.cli.parsing import Parser, make_parser, parse, seconds, whole
from wirecat.errors import UsageError
from wirecat.recording.model import Chunk
from wirecat.recording.reader import Reading, Recording
from wirecat.recording.selection import Selection, sender_of
from wirecat.views.text_recording import Transcript, heading, shortcomings
from wirecat.wire.printable import Printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from wirecat.cli.environment import Environment
    from wirecat.recording.model import Mark

_LOOK_AGAIN = 0.2  # seconds: no system tells everywhere that a file has grown
_TOGETHER = 1 << 16  # characters that are written at once


def run(arguments: list[str], environment: Environment) -> int:
    """Show it. Exit code 0 also for a damaged recording: what can be read is shown, and what cannot is reported."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    selection = Selection(
        peer=options.peer, connection=options.connection, pattern=options.grep, start=options.start, end=options.end,
        sender=sender_of(options.direction) if options.direction else "",
    )  # fmt: skip
    if options.follow and len(options.recording) > 1:
        raise UsageError("only one file can be followed", step="show")
    if options.raw and (options.connection is None or not options.direction):
        hint = "Add --connection N and --direction client or server"
        raise UsageError("--raw writes what one side of one connection sent", step="show", hint=hint)
    if options.raw and (options.json or options.hex):
        raise UsageError("--raw goes with neither --json nor --hex", step="show")
    reading = Reading(tuple(options.recording), _wait if options.follow else None)
    recording = Recording(reading.files)
    if options.raw:
        missing = _write_raw(environment, selection, reading, recording)
    else:
        missing = 0
        _show(options, environment, selection, reading, recording)
    recording.complete_from(reading)
    _require_connection(options.connection, recording)
    if missing:
        environment.message(f"{missing} bytes that went over the wire are missing in the output")
    if not options.json and not options.raw:
        for line in heading(recording):
            environment.note(line)
    for line in shortcomings(recording):
        environment.message(line)
    return 0


def _require_connection(number: int | None, recording: Recording) -> None:
    if number is not None and recording.connection(number) is None:
        known = [each.id for each in recording.connections]
        there = f"its connections are {known[0]} to {known[-1]}" if known else "it holds no connection"
        raise UsageError(f"there is no connection {number}: {there}", address=", ".join(recording.files), step="show")


def _wait() -> bool:
    threading.Event().wait(_LOOK_AGAIN)
    return True


def _write_raw(environment: Environment, selection: Selection, reading: Reading, recording: Recording) -> int:
    """The bytes themselves, exactly, but escaped on a terminal; how many are missing."""
    missing = 0
    out = environment.stdout.buffer
    shown = Printable() if environment.stdout_is_terminal else None
    for entry in reading.entries():
        recording.note(entry)
        if selection.wants(entry, reading.connections):
            if isinstance(entry, Chunk):
                missing += entry.missing
                out.write(entry.data if shown is None else shown.feed(entry.data).encode())
            elif entry.name == "missing":
                missing += entry.facts["bytes"]
    if shown is not None:
        out.write(shown.finish().encode())
    environment.flush()
    return missing


def _show(
    options: Namespace, environment: Environment, selection: Selection, reading: Reading, recording: Recording
) -> None:
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
        recording.note(entry)
        if not selection.wants(entry, reading.connections):
            continue
        for line in lines(entry):
            waiting.append(line + "\n")
            held += len(line)
        if held > _TOGETHER or options.follow:
            environment.write("".join(waiting))
            waiting, held = [], 0
    if not options.json:
        waiting += [line + "\n" for line in transcript.finish()]
    environment.write("".join(waiting))


def _parser() -> Parser:
    parser = make_parser(
        "show",
        "Show a RECORDING, or a capture by tcpdump or Wireshark (pcapng, pcap; gzip too), as a transcript: time,\n"
        "connection, direction (> from the client, < from the server), data. Several files are merged by time.",
        [
            ("wirecat show talk.pcapng", "after: wirecat connect 12345 --record talk.pcapng"),
            ("wirecat show talk.pcapng --hex --direction server", "what the server said, byte by byte"),
            ("wirecat show talk.pcapng --grep error --json", "for programs"),
            ("wirecat show a.pcap --raw --connection 3 --direction server > body", "the exact bytes"),
            ("tcpdump -w - port 80 | wirecat show -", "while it is captured"),
        ],
    )
    add = parser.add_argument
    add("recording", nargs="+", metavar="RECORDING", help="the file, or several; - is standard input")
    add("--hex", action="store_true", help="bytes as hex, with their offsets")
    add("--raw", action="store_true", help="only the bytes, exactly (with --connection and --direction)")
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
