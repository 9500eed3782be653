"""The verb ``tour``: everything at work, on this PC, in at most 15 seconds."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from time import monotonic

from wirecat.app.report import report, require_language
from wirecat.app.tour import TEMPLATE, Step, tour
from wirecat.cli.parsing import make_parser, parse
from wirecat.cli.report import write_report
from wirecat.system.limits import raise_descriptor_limit
from wirecat.views.text_tour import end_text, step_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment

TITLE = "wirecat tour"


def run(arguments: list[str], environment: Environment) -> int:
    """Take the tour; exit code 0 only if every step held."""
    parser = make_parser(
        "tour",
        "Show what wirecat does, for real, on free ports of this PC: a talk, servers, 200 clients at once,\n"
        "the socket table, the clean end; and a report of it all, with pictures. Exit code 0 only if every step held.",
        [
            ("wirecat tour", "the tour, in at most 15 seconds"),
            ("wirecat tour --author 'Anna Muster' --report tour.html", "the report of it under your name, as a file"),
            ("wirecat tour --handler reply:'You told me: {data}'", "put a handler of your own to the proof"),
        ],
    )
    parser.add_argument(
        "--handler", default=f"reply:{TEMPLATE}", metavar="HANDLER",
        help=f"what serves the many clients; it must answer x with '{TEMPLATE.replace('{data}', 'x')}'",
    )  # fmt: skip
    add = parser.add_argument
    add("--report", metavar="FILE", help="where to write a report of it, as HTML (default: a new temporary folder)")
    add("--no-report", action="store_true", help="no recording and no report")
    add("--author", default="", metavar="NAME", help="whose report it is")
    add("--lang", default="en", metavar="LANGUAGE", help="the report's language: en or de")
    options = parse(parser, arguments, environment)
    if options.report is not None and options.no_report:
        parser.error("--report and --no-report do not go together")
    require_language(options.lang)
    raise_descriptor_limit()
    started = monotonic()
    colour = environment.colour(environment.stdout_is_terminal)
    number = 0

    def tell(step: Step) -> None:
        nonlocal number
        number += 1
        if not (options.quiet and step.held):
            environment.write(step_text(number, step, colour=colour))

    folder = None
    if options.report is not None or not (options.no_report or options.quiet):
        folder = Path(mkdtemp(prefix="wirecat-tour-"))  # nobody else may look into it, or has put anything there
    recording = None if folder is None else folder / "tour.pcapng"
    page = None
    try:
        result = tour(on_step=tell, handler=options.handler, record=recording)
        if folder is not None and recording is not None:
            data = report(recording, title=TITLE, author=options.author, language=options.lang)
            page = options.report or str(folder / "tour.html")
            write_report(page, data)
    finally:
        if folder is not None and (page is None or options.report is not None):
            _remove(folder)
    if not (options.quiet and result.ok):
        environment.write(end_text(result, seconds=monotonic() - started, report=page))
    return 0 if result.ok else 1


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
