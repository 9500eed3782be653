"""Each file of the source: its size, its purpose, its test, and what never stands in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from architecture.source_tree import PACKAGE, imports, is_package, modules, tree
from architecture.test_floors import FLOOR, room_of
from peers import PROJECT, SOURCE

LINES = 350

#: Files that are longer all the same, each with its reason.
LONGER: dict[str, str] = {}

#: Modules without a test file in the mirrored place, each with its reason. An `__init__.py` without functions
#: and classes needs none.
TESTED_ELSEWHERE: dict[str, str] = {
    "wirecat.connection_state": "tests/test_connection.py, tests/test_async_connection.py: what both kinds have",
    "wirecat.server.acceptor": "tests/server/test_admission.py: with each engine",
    "wirecat.server.check": "tests/server/test_server.py, tests/server/test_datagram_acceptor.py",
    "wirecat.server.datagram_admission": "tests/server/test_datagram_acceptor.py: with both engines",
    "wirecat.server.datagram_serving": "tests/server/test_datagram_acceptor.py: with both engines",
    "wirecat.server.datagram_watcher": "tests/server/test_datagram_acceptor.py: with both engines",
    "wirecat.server.assembly": "tests/server/test_server.py and test_tls_transport.py: every server is put together by it",
    "wirecat.server.secure_acceptor": "tests/server/test_tls_transport.py: with each engine",
    "wirecat.server.socket_handshakes": "tests/server/test_tls_transport.py: with each engine",
    "wirecat.endpoints.blocking_handshake": "tests/endpoints/test_tls_stream.py: the stream that uses it",
    "wirecat.server.worker_watch": "tests/server/test_supervisor.py: with workers that are stopped",
    "wirecat.server.responder_thread": "tests/server/test_threads.py: the engine that runs it",
    "wirecat": "tests/architecture/test_public_names.py",
    "wirecat.recording.captured_flow": "tests/recording/test_captured.py: a connection is both its directions",
    "wirecat.recording.own_flow": "tests/recording/test_decoder.py: from the frames that open it to its end",
    "wirecat.recording.source": "tests/cli/test_show.py: files, pipes and standard input, compressed and not",
    "wirecat.wire.capture_items": "tests/wire/test_capture.py: plain values, made by the parser",
    "wirecat.wire.encapsulation": "tests/wire/test_packet.py: each link and tunnel around the same segment",
    "wirecat.wire.fragments": "tests/wire/test_packet.py: as parts of packets, in any order",
    "wirecat._version": "one line; tests/test_setup.py compares it with what is installed",
    "wirecat.views.report.words_de": "tests/views/report/test_words.py",
    "wirecat.views.report.words_en": "tests/views/report/test_words.py",
    # What is there to show is the program's behaviour: each mode is run as a whole, and beside it the program that it
    # stands in for.
    "wirecat.cli.start_listen": "tests/cli/test_listen.py",
    "wirecat.cli.start_serve": "tests/cli/test_serve.py",
    "wirecat.cli.whole_tap": "tests/cli/test_ending_of_signals.py",
    "wirecat.cli.ncat.admission": "tests/compat/ncat/test_listen.py",
    "wirecat.cli.ncat.connect": "tests/compat/ncat/test_connect.py",
    "wirecat.cli.ncat.crowd": "tests/compat/ncat/test_crowd.py",
    "wirecat.cli.ncat.endings": "tests/compat/ncat/test_wrong_use.py",
    "wirecat.cli.ncat.lua": "tests/compat/ncat/test_exec.py",
    "wirecat.cli.ncat.exec": "tests/compat/ncat/test_exec.py",
    "wirecat.cli.ncat.keep_open": "tests/compat/ncat/test_keep_open.py",
    "wirecat.cli.ncat.listen": "tests/compat/ncat/test_listen.py",
    "wirecat.cli.ncat.listening": "tests/compat/ncat/test_listen.py",
    "wirecat.cli.ncat.many": "tests/compat/ncat/test_keep_open.py",
    "wirecat.cli.ncat.opening": "tests/compat/ncat/test_connect.py",
    "wirecat.cli.ncat.proxy_server": "tests/compat/ncat/test_proxies.py",
    "wirecat.cli.ncat.reception": "tests/compat/ncat/test_listen.py",
    "wirecat.cli.ncat.run": "tests/compat/ncat/test_wrong_use.py",
    "wirecat.cli.ncat.secure": "tests/compat/ncat/test_tls.py",
    "wirecat.cli.ncat.session": "tests/compat/ncat/test_connect.py",
    "wirecat.cli.signalled": "tests/cli/test_ending_of_signals.py",
    "wirecat.cli.ncat.source_route": "tests/compat/ncat/test_connect.py",
    "wirecat.cli.ncat.zero": "tests/compat/ncat/test_connect.py",
    # What they conclude is the verb's whole answer, and is held against real connections in the lab.
    # They copy a network and try connections in the copy: real rulesets and real connections show it.
    "wirecat.reach.clients": "tests/reach/test_twin.py",
    "wirecat.reach.linux_firewall": "tests/reach/test_twin.py",
    "wirecat.system.network_settings": "tests/reach/test_twin.py",
    "wirecat.system.network_state": "tests/reach/test_twin.py",
    "wirecat.system.packet_trace": "tests/reach/test_twin.py",
    "wirecat.system.twin_connection": "tests/reach/test_twin.py",
    "wirecat.system.twin_network": "tests/reach/test_twin.py",
    "wirecat.system.twin_rules": "tests/reach/test_twin.py",
    "wirecat.system.xtables": "tests/wire/test_xtables.py",
    "wirecat.wire.nf_trace": "tests/reach/test_twin.py",
    "wirecat.reach.findings": "tests/reach/test_reach.py",
    "wirecat.reach.judgement": "tests/reach/test_reach.py",
    "wirecat.reach.ladder": "tests/reach/test_reach.py",
    "wirecat.port_mapping.igd_client": "tests/reach/test_router.py",
    "wirecat.cli.first_rungs": "tests/reach/test_first_rungs.py",
    "wirecat.cli.expose": "tests/reach/test_expose.py",
    "wirecat.cli.announcing": "tests/reach/test_announce.py",
    "wirecat.views.json_announced": "tests/reach/test_browse.py",
    "wirecat.views.text_announced": "tests/reach/test_browse.py",
    "wirecat.reach.leftovers": "tests/reach/test_expose.py",
    "wirecat.port_mapping.mappers": "tests/reach/test_expose.py",
    "wirecat.reach.pinhole": "tests/reach/test_expose.py",
    "wirecat.port_mapping.reaper": "tests/reach/test_expose.py",
    "wirecat.reach.watch": "tests/reach/test_peer_client.py",
    "wirecat.views.json_expose": "tests/reach/test_expose.py",
    "wirecat.views.text_expose": "tests/reach/test_expose.py",
}

#: Modules that Windows has not. An import that always runs would keep wirecat from starting there.
UNIX_ONLY = {
    "curses",
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "readline",
    "resource",
    "syslog",
    "termios",
    "tty",
}

#: Names that stand for a place on one machine, a note to oneself, or a number in some list of things to do.
FORBIDDEN = re.compile(
    r"""
      (?<![\w.:/~])/(?:home|root|Users|wor[k])/\w    # a path of somebody's machine
    | [A-Za-z]:\\Users\\
    | \b(?:TODO|FIXME|XXX|HACK)\b
    | \bissues?\s\#?\d+                              # the number of a task
    | (?<![\w&])\#\d+\b
    """,
    re.VERBOSE,
)

#: Where the project speaks to others, besides its source.
SPOKEN = (
    "README.md",
    "CHANGELOG.md",
    "Makefile",
    "pyproject.toml",
    "bench",
    "docs",
    "examples",
    "newsfragments",
    "tools",
)


def places_of_test(name: str) -> list[Path]:
    """The mirrored place: `wirecat.system.limits` is tested by `tests/system/test_limits.py`.

    The tests of a package's own `__init__.py` may lie in its folder or beside it.
    """
    relative = modules()[name].relative_to(SOURCE / PACKAGE)
    folder = PROJECT / "tests" / relative.parent
    if is_package(name):
        return [place / f"test_{relative.parent.name}.py" for place in (folder, folder.parent)]
    return [folder / f"test_{relative.stem.strip('_')}.py"]


def has_code(name: str) -> bool:
    """Tell whether a module has functions or classes of its own."""
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in tree(name).body)


def calls(functions: set[str], name: str) -> Iterator[str]:
    """Where a module calls one of some functions, by its plain or dotted name."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in functions:
            yield f"{name}, line {node.lineno}: {ast.unparse(node)}"


def none(complaints: Iterable[str]) -> None:
    """Fail with all complaints, one a line, if there are any."""
    found = list(complaints)
    assert not found, "\n".join(["", *found])


def test_files_are_short() -> None:
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    none(
        f"{name}: {count} lines; split it, or give its reason in LONGER"
        for name, count in lines.items()
        if count > LINES and name not in LONGER
    )
    none(f"{name} is no longer long: take it out of LONGER" for name in LONGER if lines[name] <= LINES)


def test_files_tell_their_purpose_in_their_first_line() -> None:
    for name in modules():
        docstring = ast.get_docstring(tree(name))
        assert docstring, f"{name} has no docstring"
        first, _, rest = docstring.partition("\n")
        assert len(first) >= 20, f"{name}: {first!r} tells little"
        assert not rest or rest.startswith("\n"), f"{name}: its purpose does not fit its first line: {first!r}"
        assert first.endswith((".", ":", "?", "!")), f"{name}: its first line is no sentence: {first!r}"


def test_annotations_cost_nothing_at_run_time() -> None:
    none(
        f"{name}: no `from __future__ import annotations`"
        for name in modules()
        if has_code(name) and not any(each.target == "__future__" for each in imports(name))
    )


def test_modules_have_their_tests() -> None:
    none(
        f"{name}: no {places_of_test(name)[0].relative_to(PROJECT)}, and no reason in TESTED_ELSEWHERE"
        for name in modules()
        if name not in TESTED_ELSEWHERE
        and (has_code(name) or not is_package(name))
        and not any(place.exists() for place in places_of_test(name))
    )


def test_the_tables_name_modules_that_are_there() -> None:
    assert set(LONGER) | set(TESTED_ELSEWHERE) <= set(modules())


def test_nothing_prints_below_the_views() -> None:
    below = [name for name in modules() if FLOOR[room_of(name)] < FLOOR["views"]]
    none(said for name in below for said in calls({"print", "builtins.print"}, name))


def test_nothing_sleeps() -> None:
    """What is waited for is an event, with a time limit where there must be one."""
    none(said for name in modules() for said in calls({"time.sleep", "sleep"}, name))


def test_no_error_is_swallowed_whole() -> None:
    none(
        f"{name}, line {node.lineno}"
        for name in modules()
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call | ast.ExceptHandler) and is_swallowing(node)
    )


def test_no_state_is_global() -> None:
    none(
        f"{name}, line {node.lineno}: {ast.unparse(node)}"
        for name in modules()
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Global)
    )


def test_what_windows_has_not_is_imported_under_guard() -> None:
    unguarded = ((name, each) for name in modules() for each in tree(name).body)
    none(
        f"{name}, line {statement.lineno}: {ast.unparse(statement)}"
        for name, statement in unguarded
        if (isinstance(statement, ast.ImportFrom) and statement.module in UNIX_ONLY)
        or (isinstance(statement, ast.Import) and UNIX_ONLY & {alias.name for alias in statement.names})
    )


def spoken_files() -> list[Path]:
    """Every text of the project that is meant to be read."""
    roots = [SOURCE, *(PROJECT / each for each in SPOKEN)]
    suffixes = {".c", ".md", ".py", ".toml", ".sh", ""}
    return sorted(
        path
        for root in roots
        for path in ([root] if root.is_file() else root.rglob("*"))
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
    )


def test_the_project_speaks_of_the_project_alone() -> None:
    none(
        f"{path.relative_to(PROJECT)}, line {number}: {match[0]}"
        for path in spoken_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for match in FORBIDDEN.finditer(line)
    )


def is_swallowing(node: ast.AST) -> bool:
    """`except Exception: pass` in any of its spellings, `contextlib.suppress(Exception)` too."""
    everything = {"Exception", "BaseException"}
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("suppress", "contextlib.suppress"):
        return any(ast.unparse(argument) in everything for argument in node.args)
    if not isinstance(node, ast.ExceptHandler):
        return False
    types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    broad = any(each is None or ast.unparse(each) in everything for each in types)
    idle = all(
        isinstance(statement, ast.Pass | ast.Continue)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in node.body
    )
    return broad and idle


@pytest.mark.parametrize(
    "text",
    ["see /home/anna/x", "'/root/x'", "C:\\Users\\anna", "# TODO later", "done in issue 7", "as of #12"],
)
def test_what_is_forbidden_is_found(text: str) -> None:
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize("text", ["/etc/services", "https://host/home/x", "&#128;", "colour #ff0000", "issues a line"])
def test_what_is_allowed_is_not_found(text: str) -> None:
    assert not FORBIDDEN.search(text)


@pytest.mark.parametrize(
    ("code", "swallows"),
    [
        ("try: f()\nexcept Exception: pass", True),
        ("try: f()\nexcept: pass", True),
        ("try: f()\nexcept (OSError, BaseException): ...", True),
        ("while 1:\n  try: f()\n  except Exception: continue", True),
        ("with contextlib.suppress(Exception): f()", True),
        ("try: f()\nexcept OSError: pass", False),
        ("try: f()\nexcept Exception as error: tell(error)", False),
    ],
)
def test_what_swallows(code: str, swallows: bool) -> None:
    assert any(is_swallowing(node) for node in ast.walk(ast.parse(code))) is swallows
