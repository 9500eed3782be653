"""The verb ``reach``: can others get to a port of this PC, and if not, what is in the way."""

from __future__ import annotations

from wirecat.cli.parsing import Parser, make_parser, parse, seconds, whole
from wirecat.reach.reach import reach
from wirecat.reach.report import SCOPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.cli.environment import Environment
    from wirecat.reach.report import ReachReport

#: Exit codes by the verdict of the scope that was asked for.
CODES = {"ok": 0, "likely": 0, "blocked": 1, "unknown": 3}


def run(arguments: list[str], environment: Environment) -> int:
    """Find out; exit code 0 for ok and likely, 1 for blocked, 3 for unknown, of the scope asked for."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    if options.browse:
        if options.port is not None:
            parser.error("--browse looks for the servers of others; it takes no PORT")
        return _browse(options.wait, options.json, environment)
    if options.serve_peer:
        return _serve_peer(options.port, options.json, environment)
    if options.port is None:
        parser.error("PORT is missing")
    if options.watch:
        return _watch(options.port, options.scope, options.json, environment)
    report = reach(options.port, probe_path=options.probe_path, from_peer=options.from_peer)
    if options.verbose:
        for line in report.asked:
            environment.message(line)
    if options.qr:
        _show_code(report, environment)
    show(report, options.json, environment)
    return CODES[report.verdict[options.scope]]


def _serve_peer(port: int | None, as_json: bool, environment: Environment) -> int:
    """Connect back to whoever asks, until Ctrl-C or SIGTERM; 0."""
    from wirecat.address import Address
    from wirecat.cli.stopping import StopSignals
    from wirecat.endpoints.failures import listen_failure
    from wirecat.reach.peer_server import DEFAULT_PORT, PeerServer
    from wirecat.system.interfaces import addresses_to_hand_out

    def tell(host: str, asked: int, result: str) -> None:
        environment.note(f"{host} asked: its port {asked} is {result.lower()}")

    with StopSignals() as signals:
        signals.catch()
        port = DEFAULT_PORT if port is None else port
        try:
            server = PeerServer(port, tell)
        except OSError as error:
            raise listen_failure(error, Address("tcp", "", port)) from error
        with server:
            extra = "" if server.port == DEFAULT_PORT else f":{server.port}"
            environment.note(f"listening on port {server.port}: connects back to whoever asks, and to nobody else")
            for host in addresses_to_hand_out():
                shown = f"[{host}]" if ":" in host and extra else host
                environment.note(f"on the other PC: wirecat reach PORT --from-peer {shown}{extra}")
            signals.wait_for_signal()
    return 0


def _watch(port: int, scope: str, as_json: bool, environment: Environment) -> int:
    """Wait for a real connection, from outside for ``--scope internet``; 0, or 130 for Ctrl-C."""
    import threading

    from wirecat.reach.watch import watch

    environment.note(f"waiting until somebody connects to port {port}; Ctrl-C ends")
    never = threading.Event()
    found = watch(port, never.wait, ("internet",) if scope == "internet" else ("lan", "internet"))
    if found is None:
        return 3
    place, host = found
    if as_json:
        from wirecat.views.json_text import json_text

        environment.write(json_text({"port": port, "place": place, "host": host}) + "\n")
    else:
        name = {"lan": "the local network", "internet": "the internet"}[place]
        environment.write_result(f"{host} connected, from {name}")
    return 0


def _browse(seconds: float, as_json: bool, environment: Environment) -> int:
    """List the servers that announce themselves; 0, or 1 for none."""
    from wirecat.reach.browse import browse

    servers = browse(seconds)
    if as_json:
        from wirecat.views.json_announced import announced_json

        environment.write(announced_json(servers))
    else:
        from wirecat.views.text_announced import announced_text

        environment.write(announced_text(servers))
    if not servers:
        environment.note("nobody announces a server here. To do so: wirecat serve HANDLER --lan --announce NAME")
    return 0 if servers else 1


def _show_code(report: ReachReport, environment: Environment) -> None:
    """The first address as a QR code, for a phone to try. Raises UsageError without the extra ``[qr]``."""
    from importlib import import_module

    from wirecat.errors import UsageError

    if not report.addresses:
        environment.note("there is no address that a phone could use")
        return
    try:
        segno: Any = import_module("segno")
    except ImportError as error:
        raise UsageError("--qr needs the package segno", step="reach", hint="pip install 'wirecat[qr]'") from error
    code = segno.make(f"http://{report.addresses[0]}/", micro=False)
    code.terminal(out=environment.stderr, compact=True)
    environment.note(f"http://{report.addresses[0]}/")


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
    add("port", nargs="?", type=whole, metavar="PORT", help="the TCP port of a server on this PC")
    add("--scope", choices=SCOPES, default="lan", help="whose verdict the exit code tells (default lan)")
    add("--probe-path", action="store_true", help="also ask the second router on the way out who it is")
    add("--from-peer", metavar="HOST[:PORT]", help="let the PC that serves --serve-peer there connect, as a proof")
    add("--serve-peer", action="store_true", help="be that PC: connect back to whoever asks (PORT: default 12346)")
    add("--watch", action="store_true", help="wait until somebody else connects, and say from where")
    add("--qr", action="store_true", help="also show the address as a QR code on stderr (extra [qr])")
    add("--browse", action="store_true", help="list the servers that announce themselves here (extra [lan])")
    add(
        "--wait", type=seconds, default=2.5, metavar="S", help="--browse: listen for S seconds, at most 5 (default 2.5)"
    )
    add("--json", action="store_true", help="one JSON document")
    return parser
