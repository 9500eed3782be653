"""The verb ``serve``: be a server, with a log of who came and went, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from wirecat.cli.parsing import Parser, make_parser, parse, seconds, whole
from wirecat.cli.stopping import serve_until_stopped
from wirecat.errors import UsageError
from wirecat.server.handlers import BUILT_IN
from wirecat.server.server import DEFAULT_ADDRESS, serve
from wirecat.system.limits import raise_descriptor_limit
from wirecat.taps.transcript import TranscriptTap
from wirecat.views.text_addresses import opened_to_others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.events import Event
    from wirecat.server.server import Server


def run(arguments: list[str], environment: Environment) -> int:
    """Serve until stopped; exit code 0 after a drain, 128 + n when signal n came a second time."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    address = opened_to_others(options.address, options.lan)
    if options.chunk is not None and options.framing == "line":
        raise UsageError("--chunk and --framing line exclude each other", hint="Lines are whole, whatever the pieces were.")
    raise_descriptor_limit()
    server = serve(
        options.handler, address, on_event=_listener(options, environment), engine=options.engine, once=options.once,
        framing=options.framing, chunk=options.chunk, max_connections=options.max_connections, drain=options.drain,
        idle_timeout=options.idle_timeout, allow=_words(options.allow), deny=_words(options.deny),
        on_start=lambda started: _attach_transcript(started, options, environment),
    )  # fmt: skip
    return serve_until_stopped(server)


def _words(values: list[str]) -> list[str]:
    return [word for value in values for word in value.split(",") if word]


def _attach_transcript(server: Server, options: Namespace, environment: Environment) -> None:
    """What clients say is shown on a terminal, or when asked for; in a log file it would be much, and private."""
    if not options.quiet and (environment.stderr_is_terminal or options.verbose) and not options.json:
        server.attach(TranscriptTap(server.publish))


def _listener(options: Namespace, environment: Environment) -> Callable[[Event], None] | None:
    from wirecat.cli.environment import write_unbuffered
    from wirecat.events import Failed

    if options.json:
        from wirecat.views.json_server import event_line

        open_still = True

        def tell_json(event: Event) -> None:
            nonlocal open_still
            if open_still and not write_unbuffered(environment.stdout, event_line(event) + "\n"):
                # A server goes on serving though its log's reader has gone; it says so once.
                open_still = False
                environment.message("standard output was closed: events are no longer written, clients are still served")

        return tell_json
    from wirecat.views.text_server import ServerLog

    log = ServerLog(verbose=bool(options.verbose))

    def tell(event: Event) -> None:
        if not options.quiet or isinstance(event, Failed):
            lines = log.lines(event)
            if lines:
                environment.write_error("\n".join(lines) + "\n")

    return tell


def _parser() -> Parser:
    handlers = "\n".join(f"  {row.example:<28} {row.help}" for row in BUILT_IN.values())
    parser = make_parser(
        "serve",
        "Serve HANDLER on ADDRESS (default 12345, this PC only) until Ctrl-C.\n\nHandlers:\n"
        f"{handlers}\n"
        "  file.py:function             your own: def f(connection) gets a thread for each client,\n"
        "  module:function              async def f(connection) an event loop, a class with receive(data) either",
        [
            ("wirecat serve echo", "an echo server on port 12345; talk to it: wirecat connect 12345"),
            ("wirecat serve reply:'You told me: {data}' 12345 --lan", "answer everybody on your network"),
        ],
    )
    add = parser.add_argument
    add("handler", metavar="HANDLER", help="what answers a client")
    add("address", nargs="?", default=DEFAULT_ADDRESS, metavar="ADDRESS", help="where to listen (default 12345; 0: a free port)")
    add("--lan", action="store_true", help="let others in, not this PC alone; prints the addresses to hand out")
    add("--engine", choices=("threads", "async"), help="threads or an event loop (built-in handlers: default threads)")
    add("--framing", choices=("none", "line"), default="none", help="none (default): answer each piece; line: whole lines")
    add("--chunk", type=whole, metavar="N", help="read at most N bytes at a time")
    add("--once", action="store_true", help="serve one connection, then exit")
    add("--max-connections", type=whole, metavar="N", help="at most N at once (default: what this machine allows)")
    add("--idle-timeout", type=seconds, metavar="S", help="close a connection after S seconds without a byte either way")
    add("--allow", action="append", default=[], metavar="ADDR", help="let in this address or block only (repeatable)")
    add("--deny", action="append", default=[], metavar="ADDR", help="keep out this address or block (repeatable; wins)")
    add("--drain", type=seconds, default=2.0, metavar="S", help="seconds for open connections when stopping (default 2)")
    add("--json", action="store_true", help="events on stdout, one JSON object a line")
    return parser
