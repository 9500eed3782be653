"""The verb ``replay``: a recording played again, and the replies compared."""

from __future__ import annotations

from argparse import ArgumentTypeError

from wirecat.address import Address
from wirecat.cli.parsing import Parser, make_parser, parse, seconds
from wirecat.cli.shorthand import with_login
from wirecat.errors import UsageError
from wirecat.recording.replay import replay
from wirecat.views.text_addresses import listening_lines, opened_to_others
from wirecat.views.text_replay import replay_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment


def run(arguments: list[str], environment: Environment) -> int:
    """Play it; exit code 0 if all was played and nothing differed, else 1."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    if options.original and options.speed is not None:
        raise UsageError("--original and --speed exclude each other", step="replay")
    if options.side == "server":
        address = opened_to_others(options.address, options.lan)
    elif options.lan:
        raise UsageError("--lan is for --as server", step="replay")
    else:
        address = with_login(Address.parse(options.address), environment)

    def told(addresses: tuple[Address, ...]) -> None:
        for line in listening_lines(addresses):
            environment.note(line)

    result = replay(
        list(options.recording), address, speed=1.0 if options.original else options.speed, compare=options.compare,
        side=options.side, timeout=options.timeout, patience=options.reply_timeout, on_listening=told,
    )  # fmt: skip
    for each in result.connections:
        for note in each.notes:
            environment.note(f"#{each.connection}: {note}")
    if not result.connections:
        environment.message("there is no connection in it")
    environment.write(replay_text(result, options.compare))
    return 0 if result.ok else 1


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no speed: a number above 0")
    return value


def _parser() -> Parser:
    parser = make_parser(
        "replay",
        "Play the client's side of a RECORDING against the server at ADDRESS, as fast as its replies come, and\n"
        "compare them with those recorded. Exit 1 if one differs, or a connection could not be played. With\n"
        "--as server the server's side is played instead, for a client under test that connects to ADDRESS.",
        [
            ("wirecat replay talk.pcapng 12345", "against: wirecat serve echo"),
            ("wirecat replay talk.pcapng 12345 --original --compare length", "at the recorded times"),
        ],
    )
    add = parser.add_argument
    add("recording", nargs="+", metavar="RECORDING", help="the file, or several")
    add(
        "address",
        metavar="ADDRESS",
        help="the server: 12345, host:12345, tls://host:443 (--as server: where to listen)",
    )
    add("--original", action="store_true", help="at the recorded times (--speed 1)")
    add("--speed", type=_speed, metavar="X", help="at the recorded times, X times as fast")
    add("--compare", choices=("exact", "length", "none"), default="exact", help="replies with those recorded (exact)")
    add("--as", dest="side", choices=("client", "server"), default="client", help="which side to play (client)")
    add("--lan", action="store_true", help="--as server: let others in, not this PC alone")
    add("--timeout", type=seconds, default=10.0, metavar="S",
        help="seconds for connecting, or for a client to come (default 10)")  # fmt: skip
    add("--reply-timeout", type=seconds, default=5.0, metavar="S", help="seconds of silence to wait for (default 5)")
    return parser
