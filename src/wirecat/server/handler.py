"""Handlers: from a name, a file or a function to what answers a client, and its colour.

    echo, reply:TEMPLATE      a built-in name, with :ARGUMENT where it takes one
    path/shout.py:handler     a function (or responder class) of a file; what ends in .py before the last colon
    package.module:handler    a function (or responder class) of a module that can be imported

The colour chooses the engine: ``def handler(connection)`` gets a thread of its own, ``async def handler(connection)``
runs on the event loop; a responder (a class with ``receive``) runs on either.
"""

from __future__ import annotations

import inspect
import os
import sys

from wirecat.errors import HandlerError
from wirecat.immutable import Immutable
from wirecat.secret import HIDDEN
from wirecat.server.credential_handler import CredentialHandler
from wirecat.server.handlers import BUILT_IN, find_row
from wirecat.server.handlers import FUNCTION as FUNCTION
from wirecat.server.handlers import RESPONDER as RESPONDER
from wirecat.server.line_responder import in_lines
from wirecat.server.responder import Responder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from wirecat.server.handlers import HandlerRow

COROUTINE = "coroutine"
_ENGINES = {RESPONDER: ("threads", "async"), FUNCTION: ("threads",), COROUTINE: ("async",)}
_RESPONDER_SHAPE = "Write class Handler: def receive(self, data)."
_SHAPE = "Write def handler(connection) or async def handler(connection)."


class Handler(Immutable):
    """What answers a client. ``call`` is a factory of responders, or the function itself; ``engine`` is the engine
    chosen; ``datagrams`` tells whether it may answer over UDP, ``built_in`` whether it is one of ours, ``credentials``
    whether clients send it passwords that observers must not see."""

    __slots__ = ("built_in", "call", "colour", "credentials", "datagrams", "engine", "name")

    name: str
    colour: str
    call: Callable[..., Any]
    engine: str
    datagrams: bool
    built_in: bool
    credentials: bool

    def __init__(
        self,
        name: str,
        colour: str,
        call: Callable[..., Any],
        engine: str,
        datagrams: bool = True,
        built_in: bool = False,
        credentials: bool = False,
    ) -> None:
        self._set(
            name=name, colour=colour, call=call, engine=engine, datagrams=datagrams, built_in=built_in,
            credentials=credentials,
        )  # fmt: skip


def load_handler(given: str | Callable[..., Any], *, engine: str | None = None, framing: str = "none") -> Handler:
    """The handler that ``given`` names or is. Raises HandlerError, with what there is instead."""
    if isinstance(given, str):
        found, row = _find(given)
        name = row.name if row is not None and row.optional else given  # a password is not told in messages
    else:
        name, found, row = getattr(given, "__name__", type(given).__name__), given, None
    colour = _colour(name, found) if row is None else row.colour
    if colour == RESPONDER and row is None:
        found = _as_responder(name, found)
    engines = _ENGINES[colour]
    if engine is not None and engine not in engines:
        kind = "an async function" if colour == COROUTINE else "a plain function"
        hint = f"Leave --engine out, or write {'def' if engine == 'threads' else 'async def'} handler(connection)."
        if row is not None:
            kind, hint = "one that takes a thread for every client", "Leave --engine out."
        raise HandlerError(f"the handler {name!r} is {kind}: it cannot run on --engine {engine}", hint=hint)
    if framing != "none":
        if colour != RESPONDER:
            hint = "Use connection.lines() in it instead." if row is None else "Leave --framing out."
            kind = "is a function" if row is None else "frames by itself"
            raise HandlerError(f"--framing is for responders; {name!r} {kind}", hint=hint)
        found = in_lines(found)
    credentials = isinstance(found, CredentialHandler)
    datagrams = row is None or row.datagrams
    return Handler(name, colour, found, engine or engines[0], datagrams, row is not None, credentials)


def _find(spec: str) -> tuple[Any, HandlerRow | None]:
    """What a handler's spec names, and the row if that is a built-in one.

    A built-in one is made anew by each call, so that its state is shared by the connections of one server and no more.
    """
    row, options, argument = find_row(spec)
    if row is not None:
        if bool(argument) != bool(row.argument) and not (row.optional and ":" not in spec):
            problem = f"needs :{row.argument}" if row.argument else "takes no argument"
            raise HandlerError(f"the handler {row.name!r} {problem}", hint=f"Write: {row.example}")
        module = _import(row.module, spec)
        return module.make(argument, options) if row.has_options else module.make(argument), row
    place, colon, function = spec.rpartition(":")
    if spec.endswith((".py", ".py:")):  # C:\\x.py has a colon as well
        raise HandlerError(f"which function of {spec.rstrip(':')}?", hint="Write FILE.py:FUNCTION.")
    if not colon:
        raise _unknown(spec)
    if not function:
        raise HandlerError(f"which function of {place}?", hint="Write MODULE:FUNCTION.")
    module = _load_file(place) if place.endswith(".py") else _import(place, spec)
    found: Any = module
    for part in function.split("."):
        if not hasattr(found, part):
            raise HandlerError(f"{place} has no {function!r}", hint=_public_functions(module))
        found = getattr(found, part)
    return found, None


def _unknown(spec: str) -> HandlerError:
    name, *rest = spec.split(":")
    if len(rest) > 1:  # a built-in handler with a slip in its name: what follows may be a password
        spec = f"{name}:{HIDDEN}"
    known = ", ".join(row.pattern for row in BUILT_IN.values())
    return HandlerError(
        f"unknown handler {spec!r}", hint=f"There are: {known}; or FILE.py:FUNCTION; or MODULE:FUNCTION."
    )


def _public_functions(module: ModuleType) -> str:
    names = [
        name for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]  # fmt: skip
    return f"It has: {', '.join(sorted(names)[:10])}." if names else "It defines no function."


def _import(name: str, spec: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise _unknown(spec)
    import importlib

    # As python -m does: the user's module lies where the command is typed. What it imports later does so as well.
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            known = ", ".join(BUILT_IN)
            raise HandlerError(
                f"there is no module {name!r}", hint=f"Built-in handlers: {known}. A file is written FILE.py:FUNCTION."
            ) from error
        raise _does_not_import(name, error) from error
    except (Exception, SystemExit) as error:
        raise _does_not_import(name, error) from error


def _load_file(path: str) -> ModuleType:
    import importlib.util

    if not os.path.isfile(path):
        raise HandlerError(f"there is no file {path!r}", hint="The path is read from the current directory.")
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    directory = os.path.dirname(os.path.abspath(path))
    if directory not in sys.path:
        sys.path.append(directory)  # what lies beside a script can be imported by it, now and later
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        raise _does_not_import(path, error) from error
    return module


def _does_not_import(name: str, error: BaseException) -> HandlerError:
    import importlib
    import traceback

    trace = traceback.extract_tb(error.__traceback__)
    frames = [each for each in trace if not each.filename.startswith("<frozen importlib")]
    place = ""
    if isinstance(error, SyntaxError) and error.filename:
        text, place = error.msg, f" at {error.filename} line {error.lineno}"
    else:
        text = " ".join(str(error).split())
        if frames and frames[-1].filename not in (__file__, importlib.__file__):
            place = f" at {frames[-1].filename} line {frames[-1].lineno}"
    what = type(error).__name__ + (f": {text}" if text else "")
    return HandlerError(f"{name} does not import: {what}{place}")


def _colour(name: str, found: Any) -> str:
    if isinstance(found, type):
        receive = getattr(found, "receive", None)
        if not callable(receive):
            raise HandlerError(f"the class {name!r} has no receive(data)", hint=_RESPONDER_SHAPE)
        for step in ("opened", "receive", "ended", "more"):
            if inspect.iscoroutinefunction(getattr(found, step, None)):
                raise HandlerError(
                    f"{name}.{step} is async; a responder is asked, and waits for nothing",
                    hint="Write def, or async def handler(connection) in place of the class.",
                )
        _require_arguments(name, found, 0, "a responder is made without arguments", _RESPONDER_SHAPE)
        _require_arguments(f"{name}.receive", receive, 2, "a responder is given the data", _RESPONDER_SHAPE)
        return RESPONDER
    if not callable(found):
        raise HandlerError(f"{name!r} is no function but {type(found).__name__}", hint=_SHAPE)
    call = found if inspect.isroutine(found) else type(found).__call__
    if inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(call):
        _require_arguments(name, found, 1, "a handler takes one argument, the connection")
        return COROUTINE
    if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise HandlerError(f"{name!r} is a generator", hint=_SHAPE)
    _require_arguments(name, found, 1, "a handler takes one argument, the connection")
    return FUNCTION


def _as_responder(name: str, found: Any) -> Any:
    """A class that has ``receive`` and no more gets the rest from Responder."""
    if issubclass(found, Responder):
        return found
    try:
        return type(found.__name__, (found, Responder), {"__module__": found.__module__})
    except TypeError as error:
        raise HandlerError(
            f"the class {name!r} cannot be made a responder: {error}", hint="Derive it from wirecat.Responder."
        ) from error


def _require_arguments(name: str, found: Any, count: int, rule: str, hint: str = _SHAPE) -> None:
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):  # some built-in functions tell nothing of themselves
        return
    try:
        signature.bind(*([None] * count))
    except TypeError:
        raise HandlerError(f"{name}{signature} takes the wrong number of arguments: {rule}", hint=hint) from None
