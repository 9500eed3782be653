"""The verb ``wait``: ends well once a server accepts, badly if it never did."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.cli.plain import join_address, plain_options
from wirecat.cli.shorthand import with_login
from wirecat.talk import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from wirecat.cli.environment import Environment

DEFAULTS = {"timeout": 30.0}


def run(arguments: list[str], environment: Environment) -> int:
    """Wait; exit code 0 once it accepts, 1 if it never did."""
    options = plain_options(arguments, DEFAULTS) or _parsed(arguments, environment)
    address = with_login(Address.parse(join_address(options.address)), environment)
    took = wait(address, timeout=options.timeout)
    if options.verbose:
        environment.message(f"{address.bare} accepts (after {took:.2f} s)")
    return 0


def _parsed(arguments: list[str], environment: Environment) -> Namespace:
    from wirecat.cli.parsing import add_address, make_parser, parse, require_address, seconds

    parser = make_parser(
        "wait",
        "Wait until ADDRESS accepts a connection: exit 0 once it does, 1 if it never did.",
        [
            ("wirecat wait 12345 --timeout 5 || echo 'nobody came'", "at most 5 s for a server on this PC"),
            ("wirecat wait localhost:12345 && wirecat connect localhost:12345", "connect as soon as it is there"),
        ],
    )
    add_address(parser, "where to connect to")
    parser.add_argument("--timeout", type=seconds, metavar="S", help="seconds in all (default 30)")
    parser.set_defaults(**DEFAULTS)
    options = parse(parser, arguments, environment)
    if options.timeout == 0:
        parser.error("--timeout: it must be more than 0 seconds")
    require_address(parser, options.address)
    return options
