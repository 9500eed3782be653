"""The verb ``wait``: ends well once a server accepts, badly if it never did."""

from __future__ import annotations

from wirecat.cli.parsing import add_address, joined_address, make_parser, parse, seconds
from wirecat.talk import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment


def run(arguments: list[str], environment: Environment) -> int:
    """Wait; exit code 0 once it accepts, 1 if it never did."""
    parser = make_parser(
        "wait",
        "Wait until ADDRESS accepts a connection: exit 0 once it does, 1 if it never did.",
        [
            ("wirecat wait 12345 --timeout 5 || echo 'nobody came'", "at most 5 s for a server on this PC"),
            ("wirecat wait localhost:12345 && wirecat connect localhost:12345", "connect as soon as it is there"),
        ],
    )
    add_address(parser, "where to connect to")
    parser.add_argument("--timeout", type=seconds, default=30.0, metavar="S", help="seconds in all (default 30)")
    options = parse(parser, arguments, environment)
    address = joined_address(parser, options.address)
    took = wait(address, timeout=options.timeout)
    if options.verbose:
        environment.message(f"{address} accepts (after {took:.2f} s)")
    return 0
