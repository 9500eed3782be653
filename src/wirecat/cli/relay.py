"""The verb ``relay``: joins whoever connects to somewhere else; one connection, or many at once."""

from __future__ import annotations

from contextlib import ExitStack

from wirecat.address import Address
from wirecat.cli.parsing import make_parser, parse, seconds, whole
from wirecat.cli.record_flags import add_record_flags, record_words, require_record
from wirecat.cli.shorthand import with_login
from wirecat.cli.stopping import StopSignals, leave
from wirecat.errors import UsageError
from wirecat.events import Failed
from wirecat.relay.relay import Relay, join_program_to, relay
from wirecat.system.limits import raise_descriptor_limit
from wirecat.views.text_addresses import opened_to_others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.cli.parsing import Parser
    from wirecat.events import Event
    from wirecat.server.server import Server

#: What only a server can do: options that say nothing where there is none.
_OF_A_SERVER = ("keep_open", "allow", "deny", "allow_anyone", "max_connections", "idle_timeout", "json")


def run(arguments: list[str], environment: Environment) -> int:
    """Relay until both ends have ended, or with ``--keep-open`` until stopped; raises what broke the connection."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    if options.max_connections is not None and options.max_connections < 1:
        parser.error(f"--max-connections: {options.max_connections} is less than 1")
    if options.idle_timeout == 0:
        parser.error("--idle-timeout: it is no time at all; leave it out for none")
    require_record(options)
    here, target = Address.parse(options.here), with_login(Address.parse(options.target), environment)
    if "stdio" in (here.scheme, target.scheme):
        return _by_standard_streams(here, target, options, environment)
    if here.scheme == "exec":
        return _from_program(here, target, options, environment)
    address = opened_to_others(options.here, options.lan)
    if target.scheme == "exec" and not (address.this_pc_only or options.allow or options.allow_anyone):
        raise UsageError(
            f"a program would run for whoever connects, and {address.bare} can be reached by others",
            hint="Say who may: --allow 192.168.1.0/24; or --allow-anyone.",
        )
    return _serve(address, target, options, environment)


def _serve(address: Address, target: Address, options: Namespace, environment: Environment) -> int:
    raise_descriptor_limit()
    with ExitStack() as stack:
        recording = None
        if options.record is not None:
            from wirecat.cli.recording import CommandRecording

            recording = stack.enter_context(CommandRecording(options, environment, "relay"))
        signals = stack.enter_context(StopSignals())

        def before_the_first_client(server: Server) -> None:
            if recording is not None:
                to = str(target.bare)
                server.attach(recording.tap("proxy", served=True, protocol=address.scheme, target=to))
                recording.watch_sockets(server.addresses)
            signals.catch()

        server = relay(
            address, target, keep_open=options.keep_open, timeout=options.timeout or None,
            on_event=_teller(options, environment), on_start=before_the_first_client, allow=_words(options.allow),
            deny=_words(options.deny), max_connections=options.max_connections, idle_timeout=options.idle_timeout,
            drain=options.drain, dead_after=options.dead_after or None,
        )  # fmt: skip
        code = signals.wait(server) if recording is None else signals.wait(server, recording.about_to_end)
    if not server.ended:
        leave(code, environment)
    handler = server.handler.call
    if isinstance(handler, Relay) and handler.failure is not None and not (options.keep_open or code):
        raise handler.failure
    if isinstance(handler, Relay) and not options.keep_open:
        return code or handler.exit_code or 0  # a program that is one end of the one connection
    return code


def _teller(options: Namespace, environment: Environment) -> Callable[[Event], None]:
    if options.json:
        from wirecat.cli.json_events import json_listener

        return json_listener(environment)
    from wirecat.views.text_relay import RelayLog

    log = RelayLog(verbose=bool(options.verbose), once=not options.keep_open)

    def tell(event: Event) -> None:
        failed = isinstance(event, Failed)
        # Of a single connection that fails the last line tells, as that of any other verb does.
        if failed and not event.fields()["traceback"] and not options.keep_open:
            return
        if failed or not options.quiet:
            lines = log.lines(event)
            if lines:
                environment.write_messages(lines)

    return tell


def _words(values: list[str]) -> list[str]:
    words = [word.strip() for value in values for word in value.split(",")]
    if "" in words:  # an empty variable of a script must not open what it was to close
        raise UsageError("--allow or --deny was given nothing", hint="Write 192.168.1.7 or 192.168.1.0/24.")
    return words


def _from_program(here: Address, target: Address, options: Namespace, environment: Environment) -> int:
    _require_no_server(here, options)
    on_path = None
    if options.verbose:
        from wirecat.cli.conversation import path_teller

        on_path = path_teller(environment)
    with ExitStack() as stack:
        tap = None
        if options.record is not None:
            from wirecat.cli.recording import CommandRecording

            recording = stack.enter_context(CommandRecording(options, environment, "relay"))
            tap = recording.tap("client", handler=str(here))
            recording.watch_sockets((target.target(),))
        codes: list[int] = []
        sent, received = join_program_to(
            here, target, timeout=options.timeout or None, on_path=on_path, tap=tap, on_exit=codes.append
        )
    if options.verbose:
        environment.message(f"{target.bare}: {sent} bytes sent, {received} bytes received")
    return codes[0]


def _by_standard_streams(here: Address, target: Address, options: Namespace, environment: Environment) -> int:
    """With standard input and output as one end it is what ``connect`` and ``listen`` do."""
    _require_no_server(here if here.scheme == "stdio" else target, options)
    if here.scheme == target.scheme:
        raise UsageError("standard input and output are there once", step="relay", hint="Name another end.")
    words = ["-v"] * options.verbose + ["-q"] * options.quiet + record_words(options)
    if here.scheme == "stdio":
        from wirecat.cli.connect import run as connect

        return connect([*words, "--timeout", str(options.timeout), options.target], environment)
    if here.scheme == "exec":
        from wirecat.cli.connect import run as connect

        return connect([*words, options.here], environment)
    from wirecat.cli.start_listen import run as listen

    return listen([*words, *(["--lan"] if options.lan else []), options.here], environment)


def _require_no_server(address: Address, options: Namespace) -> None:
    for name in _OF_A_SERVER:
        if getattr(options, name):
            raise UsageError(f"--{name.replace('_', '-')} is not for {address}", step="relay")


def _parser() -> Parser:
    parser = make_parser(
        "relay",
        "Listen on FROM and join who connects to a connection to TO: bytes go both ways, and so does each end. One\n"
        "connection, then it is done; --keep-open serves any number, many at once. FROM and TO are addresses of\n"
        "streams: 12345, host:12345, tls://…, unix:///path, exec:COMMAND (FROM: its output goes there), - (this\n"
        "window). On Linux bytes move inside the kernel, unless one end is TLS (-v tells how they move).",
        [
            ("wirecat relay 12345 localhost:8080", "one client of port 12345 talks to port 8080"),
            ("wirecat relay --keep-open 12345 exec:'sort -r'", "a program for each client"),
        ],
    )
    add = parser.add_argument
    add("here", metavar="FROM", help="where to listen")
    add("target", metavar="TO", help="where to connect to, for each client")
    add("--keep-open", action="store_true", help="serve any number of clients, until Ctrl-C")
    add("--lan", action="store_true", help="let others in, not this PC alone (a bare port means this PC)")
    add("--timeout", type=seconds, default=10.0, metavar="S", help="seconds to connect to TO (default 10; 0: no limit)")
    add("--idle-timeout", type=seconds, metavar="S", help="close a connection after S seconds without a byte")
    dead = "a TCP peer that has not answered for S seconds is lost (default 60; 0: as the system has it)"
    add("--dead-after", type=seconds, default=60.0, metavar="S", help=dead)
    add("--max-connections", type=whole, metavar="N", help="at most N at once (default: what this PC allows)")
    add("--allow", action="append", default=[], metavar="ADDR", help="let in this address, block, range or host only")
    add("--deny", action="append", default=[], metavar="ADDR", help="keep out this address or block (repeatable; wins)")
    add("--allow-anyone", action="store_true", help="let others than this PC use exec:, whoever they are")
    add("--drain", type=seconds, default=2.0, metavar="S", help="seconds for clients to end when stopping (default 2)")
    add_record_flags(parser)
    add("--json", action="store_true", help="events on stdout, one JSON object a line")
    return parser
