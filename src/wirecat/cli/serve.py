"""The verb ``serve``: be a server, with a log of who came and went, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import ExitStack

from wirecat.address import DEFAULT_ADDRESS, Address
from wirecat.cli.json_events import json_listener
from wirecat.cli.parsing import Parser, joined_address, make_parser, parse, seconds, whole
from wirecat.cli.record_flags import add_record_flags, require_record
from wirecat.cli.stopping import StopSignals, leave
from wirecat.errors import UsageError
from wirecat.server.access import read_rules
from wirecat.server.handlers import BUILT_IN, find_row
from wirecat.server.server import serve
from wirecat.system.allocator import share_one_heap
from wirecat.system.limits import raise_descriptor_limit
from wirecat.taps.transcript import TranscriptTap
from wirecat.views.text_addresses import opened_to_others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from wirecat.cli.environment import Environment
    from wirecat.endpoints.listener import Listener
    from wirecat.events import Event
    from wirecat.server.server import Server


_SERVE_SECRET = "WIRECAT_SERVE_AUTH"


def serve_until_stopped(arguments: list[str], environment: Environment, opened: Listener | None) -> int:
    """Serve until stopped, on ``opened`` where the port is open already.

    Exit code 0 after a drain, 128 + n when signal n came a second time.
    """
    parser = _parser()
    options = parse(parser, arguments, environment)
    address = opened_to_others(joined_address(parser, options.address, DEFAULT_ADDRESS), options.lan)
    if options.announce is not None:
        from wirecat.reach.announce import check_announcing

        check_announcing(options.announce, address)
    if options.chunk is not None and options.framing == "line":
        raise UsageError(
            "--chunk and --framing line exclude each other", hint="Lines are whole, whatever the pieces were."
        )
    allow = [*_blocks("--allow", options.allow), *_rules(options.allowfile)]
    deny = [*_blocks("--deny", options.deny), *_rules(options.denyfile)]
    require_record(options)
    row, _, argument = find_row(options.handler)
    if row is not None and row.name == "proxy" and not argument and environment.variables.get(_SERVE_SECRET):
        options.handler = f"{options.handler}:{environment.variables[_SERVE_SECRET]}"
    _guard(options.handler, address, bool(allow) or options.allow_anyone)
    raise_descriptor_limit()
    transcript = _Transcript(options, environment)
    tell = json_listener(environment) if options.json else _TextListener(options, environment, transcript)
    with ExitStack() as stack:
        recording = None
        if options.record is not None and options.workers is None:
            from wirecat.cli.recording import CommandRecording

            recording = stack.enter_context(CommandRecording(options, environment, "serve"))
        signals = stack.enter_context(StopSignals())

        def before_the_first_client(server: Server) -> None:
            transcript.attach(server)
            if options.record is not None and options.workers is not None:
                from wirecat.cli.recording import worker_tap

                fields = {"handler": options.handler, "served": True, "protocol": address.scheme}
                server.worker_tap = worker_tap(options, environment, "serve", "server", **fields)  # type: ignore[attr-defined]
            if recording is not None:
                server.attach(recording.tap("server", handler=options.handler, served=True, protocol=address.scheme))
                recording.watch_sockets(server.addresses)
            signals.catch(hangup=options.announce is not None)

        if options.engine != "async":
            share_one_heap()
        server = serve(
            options.handler, address, on_event=tell, on_start=before_the_first_client, engine=options.engine,
            once=options.once, framing=options.framing, chunk=options.chunk, drain=options.drain,
            max_connections=options.max_connections, max_handshakes=options.max_handshakes,
            idle_timeout=options.idle_timeout, dead_after=options.dead_after or None,
            allow=allow, deny=deny, workers=options.workers, listener=opened, **_reply_limit(options),
        )  # fmt: skip
        if options.lan and address.scheme in ("tcp", "tls") and server.address.port is not None:
            from wirecat.cli.first_rungs import FirstRungs

            stack.enter_context(FirstRungs(server.address.port, environment))
        before_it_stops = []
        if recording is not None:
            before_it_stops.append(recording.about_to_end)
        if options.announce is not None:
            from wirecat.cli.announcing import announced

            try:
                name = stack.enter_context(announced(options.announce, server.addresses, environment))
            except BaseException:  # whoever asked for the name counts on it
                server.stop()
                raise
            before_it_stops.append(name.withdraw)
        code = signals.wait(server, lambda: [call() for call in before_it_stops])
    if not server.ended:
        leave(code, environment)
    return code


def _blocks(option: str, values: list[str]) -> list[str]:
    """The addresses and blocks of a repeatable option, each of which may be several with commas between."""
    words = [word.strip() for value in values for word in value.split(",")]
    if "" in words:  # an empty variable of a script must not open what it was to close
        raise UsageError(f"{option} was given nothing", hint="Write 192.168.1.7 or 192.168.1.0/24.")
    return words


def _rules(files: list[str]) -> list[str]:
    """The rules in files, as many as are named."""
    return [rule for file in files for rule in read_rules(file)]


def _guard(handler: str, address: Address, asked_for: bool) -> None:
    """What lets clients do more than talk is not opened to others by one word alone. Raises UsageError."""
    row, _, argument = find_row(handler)
    known = row is not None and row.optional and argument  # they have to say who they are
    if row is None or not row.guarded or address.this_pc_only or asked_for or known:
        return
    name = row.name
    what = "runs a program for whoever connects" if name == "exec" else "lets whoever connects go on from here"
    more = f"; or write {name}:@FILE, with {row.argument} in FILE" if row.optional else ""
    raise UsageError(
        f"{name} {what}, and {address} can be reached by others",
        hint=f"Say who may: --allow 192.168.1.0/24; or --allow-anyone{more}.",
    )


class _Transcript:
    """What clients say: shown on a terminal, or when asked for; in a log file it would be much, and private."""

    def __init__(self, options: Namespace, environment: Environment) -> None:
        asked_for = environment.stderr_is_terminal or options.verbose
        self._wanted = bool(asked_for) and not options.quiet and not options.json
        self._by_workers = options.workers is not None
        self._tap: TranscriptTap | None = None

    def attach(self, server: Server) -> None:
        """Let the tap see every connection of ``server``."""
        if self._wanted and self._by_workers:
            from wirecat.server.supervisor import Supervisor

            assert isinstance(server, Supervisor)
            server.transcript = True
        elif self._wanted:
            self._tap = TranscriptTap(server.publish)
            server.attach(self._tap)

    def rest(self) -> list[Event]:
        """What was not shown until now, for the last moment in which it can be told."""
        return [] if self._tap is None else self._tap.take_hidden()


class _TextListener:
    """Writes a server's events as lines to stderr, those that come together at once."""

    def __init__(self, options: Namespace, environment: Environment, transcript: _Transcript) -> None:
        from wirecat.events import Closed, HalfClosed, Opened
        from wirecat.views.text_server import ServerLog

        self._log = ServerLog(verbose=bool(options.verbose))
        self._quiet = bool(options.quiet)
        self.ignores = {HalfClosed, *((Opened, Closed) if options.quiet else ())}
        self._environment = environment
        self._transcript = transcript

    def __call__(self, event: Event) -> None:
        self.batch([event])

    def batch(self, events: list[Event]) -> None:
        """See Publisher."""
        from wirecat.events import Failed, Stopped

        lines: list[str] = []
        for event in events:
            if self._quiet and not isinstance(event, Failed):
                continue
            if isinstance(event, Stopped):
                lines += [line for each in self._transcript.rest() for line in self._log.lines(each)]
            lines += self._log.lines(event)
        if lines:
            self._environment.write_messages(lines)


def _at_least_one(text: str) -> int:
    value = whole(text)
    if value < 1:
        raise ArgumentTypeError(f"{text} is less than 1")
    return value


def _workers(text: str) -> int | str:
    return text if text == "auto" else _at_least_one(text)


def _replies(text: str) -> int | str:
    return text if text == "none" else _at_least_one(text)


def _reply_limit(options: Namespace) -> dict[str, Any]:
    """``udp_replies`` for the server, where it was said."""
    replies = options.udp_replies
    return {} if replies is None else {"udp_replies": None if replies == "none" else replies}


def _above_zero(text: str) -> float:
    value = seconds(text)
    if not value:
        raise ArgumentTypeError(f"{text!r} is no time at all; leave it out for none")
    return value


def _parser() -> Parser:
    handlers = "\n".join(f"  {row.example:<28} {row.help}" for row in BUILT_IN.values())
    parser = make_parser(
        "serve",
        "Serve HANDLER on ADDRESS (default 12345, this PC only) until Ctrl-C.\n\nHandlers:\n"
        f"{handlers}\n"
        f"  {'':<28} (proxy: or set {_SERVE_SECRET}; proxy:USER:PASSWORD shows in ps to all users;\n"
        f"  {'':<28} time limits in seconds: 'proxy?head=30&body=60&response=300&tunnel=3600')\n"
        "  file.py:function             your own: def f(connection) gets a thread for each client,\n"
        "  module:function              async def f(connection) an event loop, a class with receive(data) either",
        [
            ("wirecat serve echo", "an echo server on port 12345; talk to it: wirecat connect 12345"),
            ("wirecat serve reply:'You told me: {data}' 12345 --lan", "answer everybody on your network"),
        ],
    )
    add = parser.add_argument
    add("handler", metavar="HANDLER", help="what answers a client")
    where = "where to listen (default 12345; port 0: a free one): 12345, host:12345, [::1]:12345 or HOST PORT"
    add("address", nargs="*", default=[], metavar="ADDRESS", help=where)
    add("--lan", action="store_true", help="let others in, not this PC alone; prints the addresses to hand out")
    add("--announce", metavar="NAME", help="let others find it as NAME.local on the local network (extra [lan])")
    add("--engine", choices=("threads", "async"), help="threads or an event loop (built-in handlers: default threads)")
    workers = "N processes on one port, or auto: one for each processor (TCP)"
    add("--workers", type=_workers, metavar="N", help=workers)
    add("--framing", choices=("none", "line"), default="none", help="none: answer each piece; line: whole lines")
    add("--chunk", type=_at_least_one, metavar="N", help="read at most N bytes at a time")
    add("--once", action="store_true", help="serve one connection, then exit")
    add("--max-connections", type=_at_least_one, metavar="N", help="at most N at once (default: what this PC allows)")
    shakes = "at most N clients at once in their TLS handshake, which are no connections yet (default 4096)"
    add("--max-handshakes", type=_at_least_one, metavar="N", help=shakes)
    add(
        "--udp-replies", type=_replies, metavar="N", help="datagrams: N replies a second to one host, or none: no limit"
    )
    add("--idle-timeout", type=_above_zero, metavar="S", help="close a connection after S seconds without a byte")
    dead = "a TCP peer that has not answered for S seconds is lost (default 60; 0: as the system has it)"
    add("--dead-after", type=seconds, default=60.0, metavar="S", help=dead)
    add("--allow", action="append", default=[], metavar="ADDR", help="let in this address, block, range or host only")
    add("--deny", action="append", default=[], metavar="ADDR", help="keep out this address or block (repeatable; wins)")
    add("--allowfile", action="append", default=[], metavar="FILE", help="addresses to let in, one or more a line")
    add("--denyfile", action="append", default=[], metavar="FILE", help="addresses to keep out (# comments)")
    add("--allow-anyone", action="store_true", help="let others than this PC use exec and proxy, whoever they are")
    add("--drain", type=seconds, default=2.0, metavar="S", help="seconds for clients to end when stopping (default 2)")
    add_record_flags(parser)
    add("--json", action="store_true", help="events on stdout, one JSON object a line")
    return parser
