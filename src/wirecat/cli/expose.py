"""The verb ``expose``: let the router pass a port on to this PC, until Ctrl-C, SIGTERM or SIGHUP."""

from __future__ import annotations

from wirecat.cli.parsing import Parser, make_parser, parse, whole
from wirecat.cli.stopping import StopSignals
from wirecat.reach.expose import LEASE, expose
from wirecat.views.json_expose import expose_line, leftovers_json
from wirecat.views.text_expose import leftovers_text, mapped_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.port_mapping.mapping import Mapping

_SHORTEST, _LONGEST = 2, 86_400


def run(arguments: list[str], environment: Environment) -> int:
    """Map and keep it; 0 after it was taken back, 1 where the router does not map it, or a rest could not be removed."""
    parser = _parser()
    options = parse(parser, arguments, environment)
    if options.list or options.remove:
        return _leftovers(options.remove, options.port, options.json, environment)
    if options.port is None:
        parser.error("PORT is missing")
    if not _SHORTEST <= options.lease <= _LONGEST:
        parser.error(f"--lease takes {_SHORTEST} to {_LONGEST} seconds, not {options.lease}")
    with StopSignals() as signals:
        # Before anything is mapped: a signal that comes now is seen once there is something to take back.
        signals.catch(hangup=True)

        def tell(event: str, mapping: Mapping) -> None:
            if options.json:
                environment.write(expose_line(event, mapping))
            else:
                environment.write_result(mapping.external)
            environment.note(mapped_line(mapping))

        with expose(
            options.port,
            lease=options.lease,
            permanent=options.permanent,
            replace=options.replace,
            on_change=lambda new: tell("changed", new),
        ) as exposure:
            for note in exposure.notes:
                environment.note(note)
            exposure.notes.clear()
            for mapping in exposure.mappings:
                tell("mapped", mapping)
            _warn(options.port, environment)
            signals.wait_for_signal()
        for mapping in exposure.mappings:
            if options.json and mapping not in exposure.left:
                environment.write(expose_line("removed", mapping))
    for note in exposure.notes:
        environment.message(note)
    return 1 if exposure.left else 0


def _warn(port: int, environment: Environment) -> None:
    """Say it where nobody listens on the port, or for this PC only: the mapping alone lets nobody in."""
    from wirecat.errors import WirecatError
    from wirecat.reach.listening import look_at_listeners

    try:
        listening = look_at_listeners(port, [], [])
    except WirecatError:
        return
    if not listening.rows:
        environment.note(f"nobody listens on port {port} yet")
    elif listening.loopback_only:
        environment.note(f"the server on port {port} listens for this PC only; see: wirecat reach {port}")


def _leftovers(remove: bool, port: int | None, as_json: bool, environment: Environment) -> int:
    from wirecat.reach.leftovers import list_mappings, remove_mappings

    if not remove:
        found = [each for each in list_mappings() if port in (None, each.mapping.port)]
        environment.write(leftovers_json(found) if as_json else leftovers_text(found))
        if not found:
            environment.note("there is no mapping of wirecat's")
        return 0
    removed, notes = remove_mappings(port)
    for mapping in removed:
        if as_json:
            environment.write(expose_line("removed", mapping))
        else:
            environment.write_result(f"removed {mapping.external}")
    for note in notes:
        environment.message(note)
    if not removed and not notes:
        environment.note("there is nothing to remove")
    return 1 if notes else 0


def _parser() -> Parser:
    parser = make_parser(
        "expose",
        "Let the router pass PORT on to this PC, until Ctrl-C: by PCP, NAT-PMP or UPnP, and for IPv6 by a pinhole.\n"
        "The public address stands on stdout; the port is the one that the router gave, which may be another.\n"
        "The mapping ends with the program, however that ends, and after the lease at the latest.",
        [
            ("wirecat expose 12345", "for a server that runs on this PC, say: wirecat serve echo 12345 --lan"),
            ("wirecat expose --list", "what is mapped, and what a crash has left (--remove takes that back)"),
        ],
    )
    add = parser.add_argument
    add("port", nargs="?", type=whole, metavar="PORT", help="the TCP port of a server on this PC")
    add(
        "--lease",
        type=whole,
        default=LEASE,
        metavar="S",
        help=f"seconds that the router keeps it alone (default {LEASE})",
    )
    add("--permanent", action="store_true", help="allow a mapping without an end, if the router knows no other")
    add("--replace", action="store_true", help="take the port of another forward; put that back at the end")
    add("--list", action="store_true", help="list what is mapped now")
    add("--remove", action="store_true", help="take back what no program keeps any more (of PORT, or all)")
    add("--json", action="store_true", help="one JSON object a line; with --list one document")
    return parser
