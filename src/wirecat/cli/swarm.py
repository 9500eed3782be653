"""The verb ``swarm``: many clients at once against one server, every reply checked, the result on stdout."""

from __future__ import annotations

from contextlib import ExitStack

from wirecat.address import Address
from wirecat.cli.parsing import Parser, add_address, joined_address, make_parser, parse, seconds, whole
from wirecat.cli.record_flags import add_record_flags, require_record
from wirecat.errors import UsageError
from wirecat.swarm.options import DEFAULT_MESSAGE, DEFAULT_MESSAGES, NEWLINES
from wirecat.swarm.swarm import swarm
from wirecat.system.limits import raise_descriptor_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.swarm.result import SwarmResult
    from wirecat.taps.named import NamedTap
    from wirecat.taps.tap import Tap

_INTERRUPTED = 130  # 128 + SIGINT
_DEFAULT_CLIENTS = 10
#: Descriptors beside the clients' sockets: the standard streams, the event loop's own, libraries.
_SPARE_DESCRIPTORS = 32


def run(arguments: list[str], environment: Environment) -> int:
    """Run it. Exit code 0: each client had its replies and none was wrong; 1: not so; 130: Ctrl-C."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    address = joined_address(parser, options.address)
    require_record(options)
    payload = None if options.payload is None else _read_payload(options.payload)
    _require_descriptors(options.clients, options.workers)
    line = None
    if environment.stderr_is_terminal and not environment.quiet:
        from wirecat.views.swarm_progress import ProgressLine

        line = ProgressLine(environment.write_error)
    with ExitStack() as stack:
        if line is not None:
            stack.callback(line.clear)
        tap: Tap | NamedTap | None = None
        if options.record is not None and options.workers > 1:
            from wirecat.cli.recording import worker_tap

            tap = worker_tap(options, environment, "swarm", "client")
        elif options.record is not None:
            from wirecat.cli.recording import CommandRecording

            recording = stack.enter_context(CommandRecording(options, environment, "swarm"))
            tap = recording.tap("client")
            recording.watch_sockets((Address.parse(address),))
        result = swarm(
            address,
            options.clients,
            messages=options.messages,
            duration=options.duration,
            message=options.message,
            size=options.size,
            payload=payload,
            newline=options.newline,
            expect=options.expect,
            rate=options.rate,
            think=options.think,
            connects=options.connects,
            timeout=options.timeout,
            reply_timeout=options.reply_timeout,
            connect_rate=options.connect_rate,
            workers=options.workers,
            progress=line.show if line is not None else None,
            tap=tap,
        )
    if options.verbose:
        environment.message(f"the clients were driven by {result.loop}")
    environment.write(_render(result, options.json))
    if result.interrupted:
        return _INTERRUPTED
    return 0 if result.ok else 1


def _parser() -> Parser:
    parser = make_parser(
        "swarm",
        "Put many clients on a server at once. Each sends a message, waits for the reply, checks it, and\n"
        "sends the next. Exit 0 if every client had its replies and none was wrong, else 1.",
        [
            ("wirecat swarm 12345 --clients 100 --expect echo", "against: wirecat serve echo"),
            (
                "wirecat swarm 12345 --clients 1000 --expect 'You told me: {data}'",
                "against: wirecat serve reply:'You told me: {data}'",
            ),
            ("wirecat swarm 12345 --clients 100 --rate 2000 --duration 5", "2000 requests a second, come what may"),
        ],
    )
    add_address(parser, "the server")
    add = parser.add_argument
    add("-c", "--clients", type=whole, default=_DEFAULT_CLIENTS, metavar="N",
        help=f"how many are connected at once (default {_DEFAULT_CLIENTS})")  # fmt: skip
    add("-n", "--messages", type=whole, metavar="N",
        help=f"how many each sends (default {DEFAULT_MESSAGES})")  # fmt: skip
    add("--duration", type=seconds, metavar="S", help="instead: go on sending for so many seconds")
    add("--message", metavar="TEXT",
        help="what is sent; {client} and {n} become the numbers of client and message "
        f"(default '{DEFAULT_MESSAGE}')")  # fmt: skip
    add("--size", type=whole, metavar="BYTES", help="instead: messages of so many bytes, the newline included")
    add("--payload", metavar="FILE", help="instead: what is in the file (-: standard input), as it stands")
    add("--newline", metavar="KIND",
        help=f"what ends a message: {', '.join(NEWLINES)} (default lf; after a payload none)")  # fmt: skip
    add("--expect", metavar="REPLY",
        help="echo, or the whole reply, in which {data} becomes what was sent, its newline included; "
        "without it nothing is checked")  # fmt: skip
    add("--rate", type=float, metavar="R",
        help="open loop: R requests a second by all clients together, each at its time; the latency counts from "
        "then, so that a server which stalls cannot hide")  # fmt: skip
    add("--think", type=seconds, default=0.0, metavar="S", help="pause between a reply and the next message")
    add("--connects", action="store_true",
        help="send nothing: connect and close, over and over (as fast as it goes, or --rate a second)")  # fmt: skip
    add("--workers", type=whole, default=1, metavar="N", help="processes that the clients are spread over (default 1)")
    add("--timeout", type=seconds, default=10.0, metavar="S",
        help="seconds that a client may take to connect (default 10)")  # fmt: skip
    add("--reply-timeout", type=seconds, default=10.0, metavar="S",
        help="seconds that it waits for one reply (default 10)")  # fmt: skip
    add("--connect-rate", type=float, metavar="N",
        help="how many begin to connect in a second (default 500, with over 1000 clients 2000); "
        "lower it where the server's queue is short")  # fmt: skip
    add_record_flags(parser)
    add("--json", action="store_true", help="one JSON document")
    return parser


def _read_payload(name: str) -> bytes:
    """What is in the file. UsageError where it cannot be read."""
    try:
        with open(0 if name == "-" else name, "rb", closefd=name != "-") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"--payload {name}: {error.strerror or error}", step="swarm") from error


def _require_descriptors(clients: int, workers: int) -> None:
    """Raise this program's limit of open sockets as far as it may; UsageError where that is not enough."""
    limit = raise_descriptor_limit()
    each = -(-clients // workers) if workers > 0 else clients
    needed = each + _SPARE_DESCRIPTORS
    if limit is not None and needed > limit:
        most = max(1, limit - _SPARE_DESCRIPTORS)
        raise UsageError(
            f"{each} clients{' in each process' if workers > 1 else ''} need {needed} descriptors, and this program "
            f"may open {limit}",
            step="swarm",
            hint=f"Take {most} clients, or --workers {-(-clients // most)}, or raise the limit (ulimit -Hn).",
        )


def _render(result: SwarmResult, as_json: bool) -> str:
    if as_json:
        from wirecat.views.json_swarm import swarm_json

        return swarm_json(result)
    from wirecat.views.text_swarm import swarm_text

    return swarm_text(result)
