"""The verb ``reach``: can others get to a port of this PC, and if not, what is in the way."""

from __future__ import annotations

from wirecat.cli.parsing import Parser, make_parser, parse, whole
from wirecat.reach.reach import reach
from wirecat.reach.report import SCOPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.reach.report import ReachReport

#: Exit codes by the verdict of the scope that was asked for.
CODES = {"ok": 0, "likely": 0, "blocked": 1, "unknown": 3}


def run(arguments: list[str], environment: Environment) -> int:
    """Find out; exit code 0 for ok and likely, 1 for blocked, 3 for unknown, of the scope asked for."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    report = reach(options.port, probe_path=options.probe_path)
    if options.verbose:
        for line in report.asked:
            environment.message(line)
    show(report, options.json, environment)
    return CODES[report.verdict[options.scope]]


def show(report: ReachReport, as_json: bool, environment: Environment) -> None:
    """Write the report to stdout."""
    if as_json:
        from wirecat.views.json_reach import reach_json

        environment.write(reach_json(report))
        return
    from wirecat.views.text_reach import reach_text

    symbols = "utf" in (environment.stdout.encoding or "").lower()
    environment.write(reach_text(report, colour=environment.colour(environment.stdout_is_terminal), symbols=symbols))


def _parser() -> Parser:
    parser = make_parser(
        "reach",
        "Find out whether others can connect to PORT of this PC, and what is in the way: the server, this PC's\n"
        "firewall, the router, the provider. It changes nothing, and asks this PC and its router only.\n"
        "Exit 0: they can, or nothing is in the way; 1: they cannot; 3: it cannot be seen from here.",
        [
            ("wirecat reach 12345", "for a server that runs on this PC, say: wirecat serve echo 12345 --lan"),
            ("wirecat reach 12345 --scope internet", "the exit code tells whether the internet gets in"),
        ],
    )
    add = parser.add_argument
    add("port", type=whole, metavar="PORT", help="the TCP port of a server on this PC")
    add("--scope", choices=SCOPES, default="lan", help="whose verdict the exit code tells (default lan)")
    add("--probe-path", action="store_true", help="also ask the second router on the way out who it is")
    add("--json", action="store_true", help="one JSON document")
    return parser
