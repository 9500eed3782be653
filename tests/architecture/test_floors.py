"""The house has floors, and a module imports only from lower ones.

Imports inside functions count, and so do those that only a type checker reads: a name from upstairs is a name
from upstairs. Names in tables, which are looked up when somebody asks for them, are strings and do not count.
"""

from __future__ import annotations

import pytest

from architecture.source_tree import PACKAGE, Import, is_package, modules, own_imports, packages_of

#: The floors, from the ground up, with the rooms of each: a room is a file or a folder directly in `wirecat`.
FLOORS = (
    ("_version", "immutable", "errors", "deadline", "secret"),
    ("address", "options", "events", "stream"),
    ("wire", "system"),
    ("endpoints", "port_mapping"),
    (
        "taps",
        "connection_state",
        "connection",
        "socket_transport",
        "async_state",
        "async_connection",
        "zero_copy",
        "carrier",
        "pump",
        "talk",
    ),
    ("server",),
    ("swarm", "sockets", "reach", "recording", "relay"),
    ("views",),
    ("app", "cli"),
    ("__main__", "__init__"),
)

FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

#: Floors whose rooms stand in a row, each leaning on those before it. Everywhere else, and on the floor of
#: the capabilities above all, the rooms of a floor do not know each other.
ROWS = {
    0: "the deadline and the file of a secret raise the errors",
    2: "what this machine knows is asked for in protocols: netlink's bytes are wire's",
    4: "a connection carries taps, a pump joins connections, talking opens them",
    8: "the command line calls the tour and what else combines capabilities",
    9: "the package's own two files",
}

#: Floors whose rooms may name those before them in annotations, and only there.
ROWS_FOR_TYPES = {1: "an event and a stream name addresses, and need none to be loaded"}


#: Names from upstairs that are used in annotations only, each with its reason.
NAMED_FROM_BELOW = {
    ("wirecat.deadline", "wirecat.stream"): "a deadline carries the stream for which its steps are done",
    (
        "wirecat.views.text_tour",
        "wirecat.app.tour",
    ): "a view shows a verb's result, and this verb lives in app",
}


def room_of(name: str) -> str:
    """The room that a module lies in: `wirecat.wire.framing` lies in `wire`."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def complaint(each: Import) -> str | None:
    """What is wrong with one import, or None."""
    if each.target in packages_of(each.importer):
        return f"{each}, and a room never imports the __init__ of a package it lies in"
    if each.when == "types" and (each.importer, each.target) in NAMED_FROM_BELOW:
        return None
    here, there = room_of(each.importer), room_of(each.target)
    if here == there:
        return None
    if FLOOR[there] < FLOOR[here]:
        return None
    if FLOOR[there] > FLOOR[here]:
        return f"{each}, from floor {FLOOR[here]} up to floor {FLOOR[there]}"
    row = FLOORS[FLOOR[here]]
    if row.index(there) < row.index(here):
        if FLOOR[here] in ROWS:
            return None
        if FLOOR[here] in ROWS_FOR_TYPES and each.when == "types":
            return None
    return f"{each}, on the same floor {FLOOR[here]}"


def test_every_module_has_a_floor() -> None:
    homeless = sorted({room_of(name) for name in modules()} - set(FLOOR))
    assert not homeless, f"give them a place in FLOORS: {homeless}"


def test_imports_go_down() -> None:
    complaints = [said for name in modules() for each in own_imports(name) if (said := complaint(each))]
    assert not complaints, "\n".join(complaints)


def test_no_exception_outlives_its_import() -> None:
    there = {(each.importer, each.target) for name in modules() for each in own_imports(name)}
    assert set(NAMED_FROM_BELOW) <= there


def test_what_is_imported_is_there() -> None:
    """An import inside a function that nobody has called yet may name a module that is long gone."""
    missing = [str(each) for name in modules() for each in own_imports(name) if each.target not in modules()]
    assert not missing, "\n".join(missing)


def test_no_room_stands_twice_or_is_a_name_that_left() -> None:
    rooms = [room for floor in FLOORS for room in floor]
    assert len(rooms) == len(set(rooms))
    assert set(rooms) - {room_of(name) for name in modules()} <= {"__main__"}


@pytest.mark.parametrize(
    ("importer", "target", "when"),
    [
        ("wirecat.errors", "wirecat.address", "load"),
        ("wirecat.wire.framing", "wirecat.endpoints.tcp", "call"),
        ("wirecat.swarm.crowd", "wirecat.sockets.listing", "call"),
        ("wirecat.sockets.listing", "wirecat.swarm.crowd", "types"),
        ("wirecat.address", "wirecat.events", "types"),
        ("wirecat.events", "wirecat.address", "load"),
        ("wirecat.connection", "wirecat.pump", "load"),
        ("wirecat.app.tour", "wirecat.cli.main", "call"),
        ("wirecat.endpoints.tcp", "wirecat.endpoints", "load"),
        ("wirecat.server.handlers.echo", "wirecat.server", "load"),
        ("wirecat.cli.serve", "wirecat", "call"),
    ],
)
def test_the_rule_finds(importer: str, target: str, when: str) -> None:
    assert complaint(Import(importer, target, 1, when))


@pytest.mark.parametrize(
    ("importer", "target", "when"),
    [
        ("wirecat.address", "wirecat.errors", "load"),
        ("wirecat.events", "wirecat.address", "types"),
        ("wirecat.pump", "wirecat.connection", "load"),
        ("wirecat.connection", "wirecat.taps.tap", "load"),
        ("wirecat.endpoints", "wirecat.endpoints.tcp", "call"),
        ("wirecat.endpoints.tcp", "wirecat.endpoints.listener", "load"),
        ("wirecat.server.accept", "wirecat.server.handlers", "call"),
        ("wirecat.cli.tour", "wirecat.app.tour", "load"),
        ("wirecat", "wirecat.cli.main", "types"),
        ("wirecat.__main__", "wirecat.cli.main", "call"),
    ],
)
def test_the_rule_allows(importer: str, target: str, when: str) -> None:
    assert complaint(Import(importer, target, 1, when)) is None


def test_the_root_is_a_package() -> None:
    """Without it every rule above would hold for a namespace package with no front door."""
    assert is_package(PACKAGE)
