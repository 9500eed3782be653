"""The verb ``report``: recordings as a page with pictures, or one picture, Markdown or JSON of them."""

from __future__ import annotations

import os
from pathlib import Path

from wirecat.cli.parsing import make_parser, parse, whole
from wirecat.endpoints.failures import output_failure
from wirecat.errors import UsageError
from wirecat.system.private_file import write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from wirecat.cli.environment import Environment
    from wirecat.cli.parsing import Parser

_SUFFIXES = {".html": "html", ".htm": "html", ".svg": "svg", ".png": "png", ".md": "md", ".json": "json"}
_TEXTS = ("md", "json", "svg")  # what may be written to a terminal


def run(arguments: list[str], environment: Environment) -> int:
    """Write the report; exit code 0. Raises UsageError for what cannot be read or written."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    if options.output == "-":
        options.output = None
    format = _format(options)
    if options.output is None and environment.stdout_is_terminal and format not in _TEXTS:
        parser.error(f"where to? A {format} file is nothing for a terminal: add -o report.{format}")
    _refuse_to_overwrite(options.recordings, options.output)
    from wirecat.app.report import report

    data = report(
        *options.recordings, title=options.title, author=options.author, language=options.lang, format=format,
        picture=options.picture, width=options.width, theme=options.theme, utc=options.utc,
    )  # fmt: skip
    if options.output is None:
        _to_stdout(data, environment)
    else:
        write_report(options.output, data)
        environment.note(f"the report is in {options.output} ({_size(len(data))})")
    return 0


def _parser() -> Parser:
    parser = make_parser(
        "report",
        "Tell what a recording holds: a page with pictures that needs no network and no script, for screen and paper,\n"
        "or one of its pictures alone. Recordings are made with --record, or are pcapng and pcap of other programs.",
        [
            ("wirecat report talk.pcapng -o report.html", "a page with all of it"),
            ("wirecat report talk.pcapng --picture sequence -o talk.svg", "one picture"),
        ],
    )
    add = parser.add_argument
    add("recordings", nargs="+", metavar="RECORDING", help="files made by --record, or captures (pcapng, pcap)")
    add(
        "-o", "--output", metavar="FILE", help="where to write it; its ending tells the format (default, and -: stdout)"
    )
    add("--author", default="", metavar="NAME", help="whose report it is: stands on the page and in the windows")
    add("--title", default="", metavar="TEXT", help="the title, in place of one that says who was talked to")
    add("--lang", default="en", metavar="LANGUAGE", help="en or de")
    add("--format", metavar="FORMAT", help="html, svg, png (needs wirecat[png]), md or json")
    add("--picture", metavar="PICTURE", help="only terminal, sequence, timeline, bytes, latency or sockets")
    add("--width", type=whole, default=920, metavar="PIXELS", help="how wide a single picture is (920)")
    add("--theme", metavar="THEME", help="light or dark (default: as the reader's system is)")
    add("--utc", action="store_true", help="times of day in UTC and not in this machine's zone")
    return parser


def _format(options: argparse.Namespace) -> str:
    """What was asked for by name, else by the output's ending; a picture alone is SVG."""
    if options.format is not None:
        return str(options.format)
    if options.output is not None:
        return _SUFFIXES.get(Path(options.output).suffix.lower(), "html" if options.picture is None else "svg")
    return "html" if options.picture is None else "svg"


def _refuse_to_overwrite(recordings: list[str], output: str | None) -> None:
    """Raise UsageError where the report would be written over one of its recordings."""
    if output is None:
        return
    for recording in recordings:
        try:
            same = os.path.samefile(recording, output)
        except OSError:
            continue
        if same:
            raise UsageError("that is the recording itself", address=output, step="report", hint="Name another file")


def write_report(path: str, data: bytes) -> None:
    """Write a report, all of it or nothing. Only its owner may read it, as it holds what went over the wire.

    Raises UsageError where it cannot be written, or where another user could have chosen where it goes.
    """
    write_private(path, data, step="report")


def _to_stdout(data: bytes, environment: Environment) -> None:
    """Bytes as they are: a picture is no text."""
    environment.flush()
    stream = getattr(environment.stdout, "buffer", None)
    try:
        if stream is None or environment.stdout_is_terminal:
            environment.write(data.decode())
        else:
            stream.write(data)
            stream.flush()
    except OSError as error:
        raise output_failure(error) from error


def _size(count: int) -> str:
    from wirecat.views.units import size

    return size(count)
