"""Finding a handler and telling its colour; and a clear line for whoever got it wrong."""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.clients import ask, serving
from wirecat.errors import HandlerError
from wirecat.server.handler import COROUTINE, FUNCTION, RESPONDER, load_handler
from wirecat.server.handlers import BUILT_IN
from wirecat.server.line_responder import LineResponder
from wirecat.server.responder import Responder

SHOUT = """
import helper_of_shout

class Shout:
    def receive(self, data):
        return helper_of_shout.louder(data)

def shout(connection):
    import later_helper_of_shout
    connection.send(later_helper_of_shout.WORD)

async def ashout(connection):
    pass

class Group:
    @staticmethod
    def shout(connection):
        pass

number = 5
"""


@pytest.fixture(autouse=True)
def own_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What handlers import, and where they may import it from, is gone after each test."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if not name.startswith("wirecat"):
            del sys.modules[name]


@pytest.fixture
def shout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with handlers in the current folder, and what they import beside it."""
    (tmp_path / "shout_handlers.py").write_text(SHOUT)
    (tmp_path / "helper_of_shout.py").write_text("def louder(data): return data.upper()\n")
    (tmp_path / "later_helper_of_shout.py").write_text("WORD = b'LATER'\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "shout_handlers.py"


def refused(given: Any, **options: Any) -> str:
    """The one line that tells why it is no handler."""
    with pytest.raises(HandlerError) as raised:
        load_handler(given, **options)
    text = str(raised.value)
    assert "\n" not in text and raised.value.exit_code == 2
    return text


@pytest.mark.parametrize("name", [name for name, row in BUILT_IN.items() if row.colour == RESPONDER])
def test_built_in_responders_run_on_either_engine(name: str) -> None:
    spec = f"{name}:x" if BUILT_IN[name].argument else name
    assert load_handler(spec).engine == "threads"
    for engine in ("threads", "async"):
        handler = load_handler(spec, engine=engine)
        assert (handler.colour, handler.engine, handler.name) == (RESPONDER, engine, spec)
        assert isinstance(handler.call(), Responder)
    assert isinstance(load_handler(spec, framing="line").call(), LineResponder)


def test_every_client_gets_a_responder_of_its_own() -> None:
    call = load_handler("echo").call
    assert call() is not call()


def test_built_in_names_and_their_arguments() -> None:
    assert (
        refused("reply")
        == refused("reply:")
        == ("the handler 'reply' needs :TEMPLATE. Write: reply:'You told me: {data}'")
    )
    assert refused("echo:x") == "the handler 'echo' takes no argument. Write: echo"
    assert load_handler("reply:a:b:{data}:").call().receive(b"x") == b"a:b:x:"


@pytest.mark.parametrize("spec", ["ech", "", "Echo", "no such", "1:2", ":f", "a b:f", "../x:f"])
def test_an_unknown_name_says_which_there_are(spec: str) -> None:
    text = refused(spec)
    assert text.startswith(f"unknown handler {spec!r}. There are: echo, reply:TEMPLATE, discard, daytime, chargen")
    assert "FILE.py:FUNCTION" in text and "MODULE:FUNCTION" in text


def test_a_file(shout: Path) -> None:
    for spec in (f"{shout}:shout", "shout_handlers.py:shout", "./shout_handlers.py:shout"):
        handler = load_handler(spec)
        assert (handler.colour, handler.engine, handler.name) == (FUNCTION, "threads", spec)
    assert load_handler(f"{shout}:ashout").engine == "async"
    assert load_handler(f"{shout}:Group.shout").colour == FUNCTION
    assert load_handler(f"{shout}:Shout").call().receive(b"x") == b"X"


def test_a_file_imports_what_lies_beside_it_even_later(shout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    with serving(f"{shout}:shout") as served, served.connect() as client:
        assert ask(client, b"") == b"LATER"


def test_a_module_of_the_current_folder_imports_what_lies_beside_it_even_later(shout: Path) -> None:
    with serving("shout_handlers:shout") as served, served.connect() as client:
        assert ask(client, b"") == b"LATER"


def test_a_module(shout: Path) -> None:
    assert load_handler("shout_handlers:shout").colour == FUNCTION
    assert load_handler("wirecat.server.handlers.echo:Echo").colour == RESPONDER


def test_a_file_named_like_a_module_of_pythons(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("def handler(connection): pass\n")
    assert load_handler(f"{tmp_path}/json.py:handler").colour == FUNCTION
    import json

    assert json.loads("5") == 5


def test_a_folder_that_is_called_like_this_project(tmp_path: Path) -> None:
    folder = tmp_path / "wirecat importlib"
    folder.mkdir()
    (folder / "broken.py").write_text("x = 1\nraise ValueError('on purpose')\n")
    assert refused(f"{folder}/broken.py:f") == (
        f"{folder}/broken.py does not import: ValueError: on purpose at {folder}/broken.py line 2"
    )


def test_what_is_missing(shout: Path) -> None:
    assert refused("no_such_file.py:f").startswith("there is no file 'no_such_file.py'")
    assert refused("no_such_module:f").startswith("there is no module 'no_such_module'. Built-in handlers: echo")
    assert refused("no_such_package.module:f").startswith("there is no module 'no_such_package.module'")
    expected = "shout_handlers.py has no 'sing'. It has: Group, Shout, ashout, shout."
    assert refused("shout_handlers.py:sing") == expected
    assert refused("shout_handlers:sing").startswith("shout_handlers has no 'sing'. It has: ")
    assert refused("shout_handlers:Group.sing").startswith("shout_handlers has no 'Group.sing'")
    for spec in ("shout_handlers.py", "shout_handlers.py:", "C:\\shout.py"):
        assert refused(spec) == f"which function of {spec.rstrip(':')}? Write FILE.py:FUNCTION.".replace("? W", "?. W")
    assert refused("shout_handlers:").startswith("which function of shout_handlers?")
    (shout.parent / "empty.py").write_text("")
    assert refused("empty.py:f") == "empty.py has no 'f'. It defines no function."


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing' at {path} line 1"),
        ("x = 1\ndef f(:\n", "SyntaxError: invalid syntax at {path} line 2"),
        ("x = 1\n\nraise ValueError('first\\nsecond')", "ValueError: first second at {path} line 3"),
        ("raise ValueError", "ValueError at {path} line 1"),
        ("import sys; sys.exit()", "SystemExit at {path} line 1"),
        ("import sys; sys.exit('no')", "SystemExit: no at {path} line 1"),
        ("import sys; sys.exit(0)", "SystemExit: 0 at {path} line 1"),
    ],
)
def test_what_does_not_import(source: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "broken_handlers.py"
    path.write_text(source)
    monkeypatch.chdir(tmp_path)
    expected = problem.format(path=path)
    assert refused(f"{path}:f") == f"{path} does not import: {expected}"
    assert refused("broken_handlers:f") == f"broken_handlers does not import: {expected}"
    assert "broken_handlers" not in sys.modules


def plain(connection: Any) -> None: ...


async def coroutine(connection: Any) -> None: ...


class Callable:
    def __call__(self, connection: Any) -> None: ...


class AsyncCallable:
    async def __call__(self, connection: Any) -> None: ...


class Methods:
    def plain(self, connection: Any) -> None: ...

    async def coroutine(self, connection: Any) -> None: ...


@pytest.mark.parametrize(
    ("given", "colour"),
    [
        (plain, FUNCTION),
        (lambda connection: None, FUNCTION),
        (lambda *connections: None, FUNCTION),
        (lambda connection, more=5: None, FUNCTION),
        (functools.partial(lambda word, connection: None, "x"), FUNCTION),
        (Callable(), FUNCTION),
        (Methods().plain, FUNCTION),
        (print, FUNCTION),
        (coroutine, COROUTINE),
        (functools.partial(coroutine), COROUTINE),
        (AsyncCallable(), COROUTINE),
        (Methods().coroutine, COROUTINE),
    ],
)
def test_the_colour_chooses_the_engine(given: Any, colour: str) -> None:
    handler = load_handler(given)
    assert handler.colour == colour
    assert handler.engine == ("async" if colour == COROUTINE else "threads")
    assert handler.call is given
    other = "threads" if colour == COROUTINE else "async"
    text = refused(given, engine=other)
    assert f"cannot run on --engine {other}" in text
    assert "Leave --engine out" in text
    assert "--framing is for responders" in refused(given, framing="line")


def generator(connection: Any) -> Iterator[int]:
    yield 1


async def async_generator(connection: Any) -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (lambda: None, "takes the wrong number of arguments: a handler takes one argument"),
        (lambda one, two: None, "takes the wrong number of arguments"),
        (lambda one, *, two: None, "takes the wrong number of arguments"),
        (Methods.plain, "takes the wrong number of arguments"),
        (generator, "is a generator"),
        (async_generator, "is a generator"),
        (5, "is no function but int"),
        (None, "is no function but NoneType"),
        (Responder(), "is no function but Responder"),
        (Callable, "has no receive(data)"),
        (object, "has no receive(data)"),
    ],
)
def test_what_is_no_handler(given: Any, problem: str) -> None:
    text = refused(given)
    assert problem in text
    assert "Write def handler(connection)" in text or "Write class Handler" in text


def test_a_class_needs_no_more_than_receive(engine: str) -> None:
    class Shout:
        def receive(self, data: bytes) -> bytes:
            return data.upper()

    handler = load_handler(Shout)
    assert (handler.name, handler.colour) == ("Shout", RESPONDER)
    assert isinstance(handler.call(), Shout)
    with serving(Shout, engine=engine) as served, served.connect() as client:
        assert ask(client, b"x") == b"X"


def test_a_class_that_derives_stays_as_it_is() -> None:
    class Shout(Responder):
        def receive(self, data: bytes) -> bytes:
            return data.upper()

    assert load_handler(Shout).call is Shout


def test_classes_that_are_no_responders() -> None:
    class NeedsMore:
        def __init__(self, word: str) -> None: ...

        def receive(self, data: bytes) -> bytes: ...

    class Deaf:
        def receive(self) -> bytes: ...

    class Waits:
        async def receive(self, data: bytes) -> bytes: ...

    class WaitsAtTheEnd(Responder):
        def receive(self, data: bytes) -> bytes | None: ...

        async def ended(self) -> bytes | None: ...  # type: ignore[override]

    class Meta(type):
        def __new__(cls, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> Any:
            if bases:
                raise TypeError("not to be derived from")
            return super().__new__(cls, name, bases, space)

    class Final(metaclass=Meta):
        def receive(self, data: bytes) -> bytes: ...

    assert "a responder is made without arguments" in refused(NeedsMore)
    assert "takes the wrong number of arguments: a responder is given the data" in refused(Deaf)
    assert "Waits.receive is async" in refused(Waits)
    assert "WaitsAtTheEnd.ended is async" in refused(WaitsAtTheEnd)
    assert "Derive it from wirecat.Responder" in refused(Final)


def test_the_name_that_is_shown() -> None:
    assert load_handler(plain).name == "plain"
    assert load_handler(Callable()).name == "Callable"
