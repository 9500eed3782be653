"""The verb ``tour``: everything at work, on this PC, in at most 15 seconds."""

from __future__ import annotations

from time import monotonic

from wirecat.app.tour import TEMPLATE, Step, tour
from wirecat.cli.parsing import make_parser, parse
from wirecat.system.limits import raise_descriptor_limit
from wirecat.views.text_tour import end_text, step_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment


def run(arguments: list[str], environment: Environment) -> int:
    """Take the tour; exit code 0 only if every step held."""
    parser = make_parser(
        "tour",
        "Show what wirecat does, for real, on free ports of this PC: a talk, servers, 200 clients at once,\n"
        "the socket table, the clean end. Exit code 0 only if every step held.",
        [
            ("wirecat tour", "the tour, in at most 15 seconds"),
            ("wirecat tour --handler reply:'You told me: {data}'", "put a handler of your own to the proof"),
        ],
    )
    parser.add_argument(
        "--handler", default=f"reply:{TEMPLATE}", metavar="HANDLER",
        help=f"what serves the many clients; it must answer x with '{TEMPLATE.replace('{data}', 'x')}'",
    )  # fmt: skip
    options = parse(parser, arguments, environment)
    raise_descriptor_limit()
    started = monotonic()
    colour = environment.colour(environment.stdout_is_terminal)
    number = 0

    def tell(step: Step) -> None:
        nonlocal number
        number += 1
        if not (options.quiet and step.held):
            environment.write(step_text(number, step, colour=colour))

    result = tour(on_step=tell, handler=options.handler)
    if not (options.quiet and result.ok):
        environment.write(end_text(result, seconds=monotonic() - started))
    return 0 if result.ok else 1
