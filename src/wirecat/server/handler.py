"""Handlers: from a name, a file or a function to what answers a client, and its colour.

    echo, reply:TEMPLATE      a built-in name, with :ARGUMENT where it takes one
    path/shout.py:handler     a function (or responder class) of a file; what ends in .py before the last colon
    package.module:handler    a function (or responder class) of a module that can be imported

The colour chooses the engine: ``def handler(connection)`` gets a thread of its own, ``async def handler(connection)`` runs
on the event loop; a responder (a class with ``receive``) runs on either.
"""

from __future__ import annotations

import inspect
import os
import sys

from wirecat.errors import HandlerError
from wirecat.immutable import Immutable
from wirecat.server.handlers import BUILT_IN
from wirecat.server.line_responder import in_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

RESPONDER, FUNCTION, COROUTINE = "responder", "function", "coroutine"
_ENGINES = {RESPONDER: ("threads", "async"), FUNCTION: ("threads",), COROUTINE: ("async",)}
_SHAPE = "Write def handler(connection) or async def handler(connection)."


class Handler(Immutable):
    """What answers a client. ``call`` is a factory of responders, or the function itself; ``engine`` the engine chosen."""

    __slots__ = ("call", "colour", "engine", "name")

    name: str
    colour: str
    call: Callable[..., Any]
    engine: str

    def __init__(self, name: str, colour: str, call: Callable[..., Any], engine: str) -> None:
        self._set(name=name, colour=colour, call=call, engine=engine)


def load_handler(given: str | Callable[..., Any], *, engine: str | None = None, framing: str = "none") -> Handler:
    """The handler that ``given`` names or is. Raises HandlerError, with what there is instead."""
    if isinstance(given, str):
        name, (found, built_in) = given, _find(given)
    else:
        name, found, built_in = getattr(given, "__name__", repr(given)), given, False
    colour = RESPONDER if built_in else _colour(name, found)
    engines = _ENGINES[colour]
    if engine is not None and engine not in engines:
        kind = "an async function" if colour == COROUTINE else "a plain function"
        hint = f"Leave --engine out, or write {'def' if engine == 'threads' else 'async def'} handler(connection)."
        raise HandlerError(f"the handler {name!r} is {kind}: it cannot run on --engine {engine}", hint=hint)
    if framing != "none":
        if colour != RESPONDER:
            raise HandlerError(
                f"--framing is for responders; {name!r} is a function", hint="Use connection.lines() in it instead."
            )
        found = in_lines(found)
    return Handler(name, colour, found, engine or engines[0])


def _find(spec: str) -> tuple[Any, bool]:
    """What a handler's spec names, and whether it is a built-in one's factory."""
    name, colon, argument = spec.partition(":")
    row = BUILT_IN.get(name)
    if row is not None:
        if bool(argument) != bool(row.argument):
            problem = f"needs :{row.argument}" if row.argument else "takes no argument"
            raise HandlerError(f"the handler {name!r} {problem}", hint=f"Write: {row.example}")
        module = _import(row.module, spec)
        return module.make(argument), True
    place, colon, function = spec.rpartition(":")
    if not colon:
        known = ", ".join(row.name + (f":{row.argument}" if row.argument else "") for row in BUILT_IN.values())
        missing = " (which function of that file? write FILE.py:FUNCTION)" if spec.endswith(".py") else ""
        raise HandlerError(
            f"unknown handler {spec!r}{missing}", hint=f"There are: {known}; or FILE.py:FUNCTION; or MODULE:FUNCTION."
        )
    module = _load_file(place) if place.endswith(".py") else _import(place, spec)
    found: Any = module
    for part in function.split("."):
        if not hasattr(found, part):
            raise HandlerError(f"{place} has no {function!r}", hint=_public_functions(module))
        found = getattr(found, part)
    return found, False


def _public_functions(module: ModuleType) -> str:
    names = [
        name for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]  # fmt: skip
    return f"It has: {', '.join(sorted(names)[:10])}." if names else "It defines no function."


def _import(name: str, spec: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        known = ", ".join(BUILT_IN)
        raise HandlerError(f"unknown handler {spec!r}", hint=f"There are: {known}; or FILE.py:FUNCTION; or MODULE:FUNCTION.")
    import importlib

    here = os.getcwd()
    # As python -m does: the user's module lies where the command is typed.
    added = here not in sys.path and "" not in sys.path
    if added:
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
    except Exception as error:
        raise _does_not_import(name, error) from error
    finally:
        if added:
            sys.path.remove(here)


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
    import traceback

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    place = f" at {frames[-1].filename} line {frames[-1].lineno}" if len(frames) > 2 or isinstance(error, SyntaxError) else ""
    if isinstance(error, SyntaxError) and error.filename:
        place = f" at {error.filename} line {error.lineno}"
    elif frames and "wirecat" not in frames[-1].filename:
        place = f" at {frames[-1].filename} line {frames[-1].lineno}"
    text = str(error).splitlines()[0] if str(error) else ""
    return HandlerError(f"{name} does not import: {type(error).__name__}: {text}{place}")


def _colour(name: str, found: Any) -> str:
    if isinstance(found, type):
        if not callable(getattr(found, "receive", None)):
            raise HandlerError(f"the class {name!r} has no receive(data)", hint="A responder answers by receive(data).")
        _require_arguments(name, found, 0, "a responder is made without arguments")
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


def _require_arguments(name: str, found: Any, count: int, rule: str) -> None:
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):  # some built-in functions tell nothing of themselves
        return
    try:
        signature.bind(*([None] * count))
    except TypeError:
        raise HandlerError(f"{name}{signature} takes the wrong number of arguments: {rule}", hint=_SHAPE) from None


