"""The front door: which names `import wirecat` gives, their docstrings, and that none costs before use."""

from __future__ import annotations

import ast
import importlib
import inspect
import types

import pytest

import wirecat
from architecture.source_tree import imports, modules, tree
from architecture.startup import loaded_by

#: A name that goes breaks programs of others; one that comes is kept for ever. Both belong into a news
#: fragment.
PUBLIC_NAMES = {
    "__version__",
    # talk
    "connect",
    "connect_async",
    "listen",
    "wait",
    "Address",
    "AsyncConnection",
    "Connection",
    "ConnectionListener",
    "Tap",
    # serve
    "serve",
    "ConnectionInfo",
    "Responder",
    "Server",
    # crowd
    "swarm",
    "SwarmResult",
    # watch
    "sockets",
    "SocketRow",
    # join
    "relay",
    # reach
    "reach",
    "ReachReport",
    "expose",
    "Exposure",
    "announce",
    "Announcement",
    "browse",
    "AnnouncedServer",
    "Mapping",
    # keep
    "Recorder",
    "RecordingTap",
    "replay",
    # show
    "tour",
    "report",
    # what happens
    "Closed",
    "Denied",
    "Event",
    "Failed",
    "HalfClosed",
    "Listening",
    "Missed",
    "Opened",
    "Stopped",
    "Stopping",
    # what goes wrong
    "AddressError",
    "BindError",
    "CertificateError",
    "ConnectionBroken",
    "ConnectionClosed",
    "DeadlineExpired",
    "HandlerError",
    "IncompleteReceive",
    "LineTooLong",
    "ListenError",
    "NetworkError",
    "NoAnswer",
    "NotExposed",
    "ProxyError",
    "Refused",
    "TlsError",
    "UnknownHost",
    "Unreachable",
    "UsageError",
    "WirecatError",
}

#: What `import wirecat` alone must not load: a program that imports it may want one small thing of it.
NOT_BEFORE_USE = {
    "asyncio",
    "dataclasses",
    "enum",
    "inspect",
    "json",
    "logging",
    "re",
    "socket",
    "ssl",
    "typing",
}


def test_the_public_names_are_these() -> None:
    assert len(wirecat.__all__) == len(set(wirecat.__all__))
    assert set(wirecat.__all__) == PUBLIC_NAMES
    assert set(dir(wirecat)) >= PUBLIC_NAMES


@pytest.mark.parametrize("name", sorted(PUBLIC_NAMES))
def test_each_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(wirecat, name)
    assert not isinstance(value, types.ModuleType), f"wirecat.{name} is a room of the house, not the name in it"
    if name == "__version__":
        assert isinstance(value, str)
        return
    assert (value.__doc__ or "").strip(), f"wirecat.{name} has no docstring"
    if inspect.isclass(value):
        bare = [
            member
            for member, defined in vars(value).items()
            if not member.startswith("_")
            and (callable(defined) or isinstance(defined, property | classmethod | staticmethod))
            and not inspect.getdoc(getattr(value, member))
        ]
        assert not bare, f"wirecat.{name}: no docstring for {bare}"


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    """The block that only type checkers read says `from HOME import NAME as NAME` for every name."""
    declared = {
        alias.asname: node.module
        for block in tree("wirecat").body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(declared) == PUBLIC_NAMES - {"__version__"}
    for name, home in declared.items():
        assert getattr(wirecat, name) is getattr(importlib.import_module(str(home)), name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        wirecat.conect  # noqa: B018


def test_the_verbs_stay_verbs_when_the_rooms_of_their_names_are_loaded() -> None:
    for verb in ("swarm", "sockets", "reach"):
        code = (
            f"import wirecat.{verb}; import wirecat; assert callable(wirecat.{verb}), wirecat.{verb}; "
            f"assert callable(wirecat.{verb})"
        )
        _, ended = loaded_by(code)
        assert ended.returncode == 0, ended.stderr


def test_importing_wirecat_loads_nothing_but_its_front_door() -> None:
    loaded, ended = loaded_by("import wirecat; print(wirecat.__version__, len(dir(wirecat)) > 1)")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{wirecat.__version__} True\n"
    assert not loaded & NOT_BEFORE_USE
    assert loaded <= {"__future__", "wirecat", "wirecat._version"}


def test_no_room_loads_a_heavy_module_as_it_is_loaded() -> None:
    """What a start or a fast verb pays for is written without them."""
    heavy = {"asyncio", "ssl", "dataclasses", "inspect", "logging", "typing"}
    found = [
        str(each)
        for name in modules()
        if name.removeprefix("wirecat.").partition(".")[0] in FAST_ROOMS
        for each in imports(name)
        if each.when == "load" and each.target.partition(".")[0] in heavy
    ]
    assert not found, "\n".join(found)


#: What every start and every connection goes through.
FAST_ROOMS = {
    "__main__",
    "_version",
    "address",
    "connection",
    "deadline",
    "endpoints",
    "errors",
    "events",
    "immutable",
    "options",
    "pump",
    "stream",
    "talk",
    "taps",
    "wire",
}
