"""The verb ``record``: a proxy in front of any server, that keeps what goes through it."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.cli.parsing import Parser, make_parser, parse, seconds
from wirecat.cli.record_flags import add_record_flags
from wirecat.cli.recording import CommandRecording
from wirecat.cli.shorthand import with_login
from wirecat.cli.stopping import StopSignals, leave
from wirecat.endpoints import scheme_of
from wirecat.errors import UsageError
from wirecat.relay.relay import Relay, relay
from wirecat.system.limits import raise_descriptor_limit
from wirecat.views.text_addresses import opened_to_others
from wirecat.views.text_relay import RelayLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.events import Event
    from wirecat.server.server import Server

DEFAULT_FILE = "recording.pcapng"


def run(arguments: list[str], environment: Environment) -> int:
    """Serve until stopped; exit code 0 after a drain, 128 + n when signal n came a second time."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    address = opened_to_others(options.listen, options.lan)
    target = with_login(Address.parse(options.target), environment)
    for end in (address, target):
        if scheme_of(end).keeps_boundaries or end.scheme in ("stdio", "exec"):
            why = "a recording proxy stands between a client and a server of streams"
            raise UsageError(why, address=end.bare, step="record")
    raise_descriptor_limit()
    log = RelayLog(verbose=bool(options.verbose), once=options.once)

    def tell(event: Event) -> None:
        if not options.quiet and (lines := log.lines(event)):
            environment.write_messages(lines)

    with CommandRecording(options, environment, "record") as recording, StopSignals() as signals:
        tap = recording.tap("proxy", served=True, protocol=address.scheme, target=str(target.bare))

        def before_the_first_client(server: Server) -> None:
            server.attach(tap)
            recording.watch_sockets(server.addresses)
            signals.catch()

        server = relay(
            address, target, keep_open=not options.once, timeout=options.timeout or None, on_event=tell,
            on_start=before_the_first_client, drain=options.drain,
        )  # fmt: skip
        code = signals.wait(server, recording.about_to_end)
    environment.note(f"recorded in {options.record}; see: wirecat show {options.record}")
    if not server.ended:
        leave(code, environment)
    handler = server.handler.call
    if isinstance(handler, Relay) and handler.failure is not None and options.once and not code:
        raise handler.failure
    return code


def _parser() -> Parser:
    parser = make_parser(
        "record",
        "Listen on LISTEN, connect each client to TARGET, and keep what goes through in a file (-o): a recording proxy\n"
        "in front of any server, until Ctrl-C. TLS on either side is ended here, so the bytes are kept decrypted.\n"
        "(The verbs that carry data can keep it themselves: --record FILE.)",
        [
            ("wirecat record 12346 localhost:12345", "in front of a server; then talk to 12346"),
            ("wirecat record 12346 12345 -o talk.pcapng --once", "one connection into talk.pcapng"),
        ],
    )
    add = parser.add_argument
    add("listen", metavar="LISTEN", help="where clients connect to: 12346, :12346, tls://:12346, unix:///path")
    add("target", metavar="TARGET", help="the server: host:12345, tls://host:443, unix:///path")
    add("-o", "--output", dest="record", default=DEFAULT_FILE, metavar="FILE", help=f"default: {DEFAULT_FILE}")
    add("--lan", action="store_true", help="let others in, not this PC alone")
    add("--once", action="store_true", help="one connection, then exit")
    add("--timeout", type=seconds, default=10.0, metavar="S", help="seconds for connecting to TARGET (default 10)")
    add("--drain", type=seconds, default=2.0, metavar="S", help="seconds for clients to end when stopping (default 2)")
    add_record_flags(parser, always=True)
    return parser
