"""``wirecat expose`` does no damage: a router's table of forwards before, while it runs, and after its end."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peers import PATIENCE, Program, wirecat_command
from reach.campaign import some_of
from reach.fake_router import (
    PORT,
    ROUTER,
    SERVER,
    Entry,
    FakeRouter,
    TableRouter,
    answer,
    description,
    fault,
    ok,
    server_and_router,
)
from reach.lab.namespaces import Host
from wirecat.port_mapping.records import read_records

OTHER = "192.168.77.30"
PERMANENT = Entry(SERVER, PORT, "my game", 0)
NEIGHBOUR = Entry(OTHER, 80, "web", 0)
LINE = rb"^9\.9\.9\.9:(\d+)\n"


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Host, Host]]:
    """A server and its router, on one cable."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with server_and_router() as both:
        yield both


def fake(router: Host, table: TableRouter, kind: str = "WANIPConnection:1") -> FakeRouter:
    return FakeRouter(router, ROUTER, route=table.route, describe=lambda: ok(description((kind, "/ctl"))))


def start(server: Host, *options: str) -> Program:
    return server.program(*wirecat_command("expose", str(PORT), *options))


def end(program: Program, number: signal.Signals, table: TableRouter, after: dict[int, Entry]) -> None:
    """End the program, and wait until the table is as it should be, or time is up."""
    program.signal(number)
    program.wait()
    wait_until(lambda: table.table == after and not read_records())


class Conflicting(TableRouter):
    """Says 718 where a port is another's, as the standard has it."""

    def add(self, values: dict[str, str]) -> bytes:
        there = self.table.get(int(values["NewExternalPort"]))
        return fault(718) if there is not None and there.client != values["NewInternalClient"] else super().add(values)


class Hidden(TableRouter):
    """Shows nothing, and overwrites without a word."""

    def get_specific(self, values: dict[str, str]) -> bytes:
        return fault(401)

    get_generic = get_specific


class WithoutSpecific(TableRouter):
    def get_specific(self, values: dict[str, str]) -> bytes:
        return fault(606)


class AnyPort(TableRouter):
    """Version 2: gives another port where one is another's, and overwrites a client's own forward."""

    def add_any(self, values: dict[str, str]) -> bytes:
        port = int(values["NewExternalPort"])
        while port in self.table and self.table[port].client != values["NewInternalClient"]:
            port += 1
        self.put({**values, "NewExternalPort": str(port)})
        return answer("AddAnyPortMapping", NewReservedPort=str(port))


LEASED = Entry(SERVER, 80, "", 3600)
EACH_TIME = [
    (TableRouter, PERMANENT, signal.SIGKILL),
    (Conflicting, NEIGHBOUR, signal.SIGTERM),
    (WithoutSpecific, LEASED, signal.SIGTERM),
    (AnyPort, PERMANENT, signal.SIGTERM),
    (Hidden, NEIGHBOUR, signal.SIGKILL),
]
LONG = [
    case
    for case in itertools.product(
        (TableRouter, Conflicting, WithoutSpecific, AnyPort, Hidden),
        (PERMANENT, NEIGHBOUR, LEASED),
        (signal.SIGTERM, signal.SIGKILL),
    )
    if case not in EACH_TIME
]


@pytest.mark.parametrize(("kind", "there", "number"), some_of(EACH_TIME, LONG))
def test_forward_that_is_there_stays(
    hosts: tuple[Host, Host], kind: type[TableRouter], there: Entry, number: signal.Signals
) -> None:
    server, router = hosts
    table = kind(p12345=there)
    version = "WANIPConnection:2" if kind is AnyPort else "WANIPConnection:1"
    with fake(router, table, version), start(server) as exposing:
        port = int(exposing.wait_for("stdout", LINE)[1])
        assert port != PORT
        assert table.table[PORT] == there
        assert table.table[port][:2] == (SERVER, PORT)
        if kind is not Hidden:
            assert port == PORT + 1
            said = exposing.wait_for(
                "stderr", rb"port 12345 of the router is forwarded to ([^ ]*:\d+)[^\n]*left as it is"
            )
            assert said[1].decode() == f"{there.client}:{there.port}"
        end(exposing, number, table, {PORT: there})
    assert table.changes == [f"added {port}", f"deleted {port}"]


@pytest.mark.parametrize(
    ("kind", "there", "number"),
    some_of(
        [(TableRouter, NEIGHBOUR, signal.SIGKILL), (Conflicting, PERMANENT, signal.SIGTERM)],
        [(Conflicting, NEIGHBOUR, signal.SIGKILL), (TableRouter, PERMANENT, signal.SIGTERM)],
    ),
)
def test_forward_that_is_replaced_is_put_back(
    hosts: tuple[Host, Host], kind: type[TableRouter], there: Entry, number: signal.Signals
) -> None:
    server, router = hosts
    table = kind(p12345=there)
    with fake(router, table), start(server, "--replace") as exposing:
        assert exposing.wait_for("stdout", LINE)[1] == b"12345"
        assert table.table[PORT][:2] == (SERVER, PORT)
        assert table.table[PORT].description.startswith("wirecat ")
        exposing.wait_for("stderr", rb"put back at the end")
        end(exposing, number, table, {PORT: there})


def test_forward_that_is_replaced_is_put_back_by_a_later_run(hosts: tuple[Host, Host]) -> None:
    """Both processes are killed: --remove puts it back, and so does the next exposure."""
    server, router = hosts
    table = TableRouter(p12345=NEIGHBOUR)
    with fake(router, table):
        for later in (["--remove"], [str(PORT)]):
            with start(server, "--replace") as exposing:
                exposing.wait_for("stdout", LINE)
                kill_with_its_reaper(exposing)
            assert table.table[PORT].client == SERVER
            with server.program(*wirecat_command("expose", *later)) as second:
                if later == ["--remove"]:
                    second.wait_for("stdout", rb"removed 9\.9\.9\.9:12345\n")
                    second.wait()
                else:
                    assert second.wait_for("stdout", LINE)[1] == b"12346"
                    end(second, signal.SIGTERM, table, {PORT: NEIGHBOUR})
            assert table.table == {PORT: NEIGHBOUR}


def kill_with_its_reaper(program: Program) -> None:
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text(encoding="ascii").split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    program.signal(signal.SIGKILL)
    program.wait()


class Permanent(TableRouter):
    """Knows only mappings without an end, and says it by ``code``, or not at all."""

    code = 725

    def add(self, values: dict[str, str]) -> bytes:
        if values["NewLeaseDuration"] != "0" and self.code:
            return fault(self.code)
        return super().add({**values, "NewLeaseDuration": "0"})


class PermanentByArguments(Permanent):
    code = 402


class PermanentInSilence(Permanent):
    code = 0


@pytest.mark.parametrize("kind", [Permanent, PermanentByArguments, PermanentInSilence])
def test_mapping_without_an_end_is_made_only_if_allowed(hosts: tuple[Host, Host], kind: type[TableRouter]) -> None:
    server, router = hosts
    table = kind(p80=NEIGHBOUR)
    with fake(router, table):
        refused = server.wirecat("expose", str(PORT))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "without an end" in refused.stderr
        assert "--permanent" in refused.stderr
        assert (table.table, read_records()) == ({80: NEIGHBOUR}, [])
        for number in (signal.SIGTERM, signal.SIGKILL):
            with start(server, "--permanent") as exposing:
                exposing.wait_for("stderr", rb"without an end")
                assert table.table[PORT].lease == 0
                end(exposing, number, table, {80: NEIGHBOUR})
        with start(server, "--permanent") as exposing:
            exposing.wait_for("stdout", LINE)
            kill_with_its_reaper(exposing)
        assert "left behind" in server.wirecat("expose", "--list").stdout
        assert "has no end" in server.wirecat("expose", "22222").stderr
        assert server.wirecat("expose", "--remove").returncode == 0
        assert (table.table, read_records()) == ({80: NEIGHBOUR}, [])


class Failing(TableRouter):
    """Adds the mapping, and then answers by ``reply``, once; ``address`` is what it tells of its address afterwards."""

    reply: bytes | None = None
    address: bytes | None = None
    forgets = False

    def add(self, values: dict[str, str]) -> bytes:
        answered = super().add(values)
        return answered if self.reply is None else self.reply

    def get_address(self, values: dict[str, str]) -> bytes:
        if self.address is not None and any("added" in line for line in self.changes):
            return self.address
        return super().get_address(values)


OK_EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REPLIES = {
    "empty": OK_EMPTY,
    "misnamed": answer("SomethingElse"),
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Le",
    "nothing": b"",
    "unavailable": b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n",
    "nonsense": b"SSH-2.0-x\r\n",
}


@pytest.mark.parametrize(
    ("name", "shows"),
    some_of(
        [("empty", True), ("misnamed", False), ("cut off", False), ("nothing", True), ("unavailable", False)],
        [(name, shows) for name in REPLIES for shows in (True, False)],
    ),
)
def test_mapping_of_an_unclear_answer_is_used_or_undone(hosts: tuple[Host, Host], name: str, shows: bool) -> None:
    """If the table shows it, it is used; if the table is hidden, it is taken back."""
    server, router = hosts

    class Unclear(Failing if shows else type("HiddenFailing", (Hidden, Failing), {})):  # type: ignore[misc]
        reply = REPLIES[name]

    table = Unclear(p80=NEIGHBOUR)
    with fake(router, table), start(server) as exposing:
        if shows:
            exposing.wait_for("stdout", LINE)
            end(exposing, signal.SIGTERM, table, {80: NEIGHBOUR})
        else:
            assert exposing.wait() == 1
    assert (table.table, read_records()) == ({80: NEIGHBOUR}, [])
    assert [line.partition(" ")[0] for line in table.changes] == ["added", "deleted"]


@pytest.mark.parametrize(
    "address", [fault(501), fault(-911), OK_EMPTY, answer("Else"), b"", answer("GetExternalIPAddress")]
)
def test_address_that_is_refused_afterwards_leaves_nothing_behind(hosts: tuple[Host, Host], address: bytes) -> None:
    """The address that was told before is used; where it was not told at all, the mapping is taken back."""
    server, router = hosts
    for external in ("9.9.9.9", "none"):
        table = Failing(p80=NEIGHBOUR)
        table.address, table.external = address, external
        with fake(router, table), start(server) as exposing:
            if external == "9.9.9.9":
                exposing.wait_for("stdout", LINE)
                end(exposing, signal.SIGTERM, table, {80: NEIGHBOUR})
            else:
                assert exposing.wait() == 1
                assert b"does not tell its public address" in exposing.stderr
        assert (table.table, read_records()) == ({80: NEIGHBOUR}, [])


class Stubborn(Permanent):
    """Deletes nothing."""

    def delete(self, values: dict[str, str]) -> bytes:
        return fault(606)


def test_mapping_that_cannot_be_taken_back_is_told_and_remembered(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    table = Stubborn()
    with fake(router, table), start(server, "--permanent", "--json") as exposing:
        exposing.wait_for("stdout", rb"mapped")
        exposing.signal(signal.SIGTERM)
        assert exposing.wait() == 1
        assert b"it has no end. Try: wirecat expose --remove 12345" in exposing.stderr
        assert b"removed" not in exposing.stdout
        (record,) = read_records()
        assert (record.external, record.lifetime) == ("9.9.9.9:12345", 0)
        ended = server.wirecat("expose", "--remove")
        assert (ended.returncode, "could not be taken back" in ended.stderr) == (1, True)
    with fake(router, TableRouter(**{f"p{port}": entry for port, entry in table.table.items()})):
        assert server.wirecat("expose", "--remove").returncode == 0
    assert read_records() == []


@pytest.mark.parametrize("code", some_of([(402,), (602,)], [(401,), (501,), (725,), (-911,)]))
def test_other_action_is_called_where_any_port_is_refused(hosts: tuple[Host, Host], code: int) -> None:
    server, router = hosts

    class Refusing(TableRouter):
        def add_any(self, values: dict[str, str]) -> bytes:
            return fault(code)

    table = Refusing()
    with fake(router, table, "WANPPPConnection:2"), start(server) as exposing:
        assert exposing.wait_for("stdout", LINE)[1] == b"12345"
        end(exposing, signal.SIGTERM, table, {})


def test_error_is_told_as_it_came(hosts: tuple[Host, Host]) -> None:
    server, router = hosts

    class Refusing(TableRouter):
        def add(self, values: dict[str, str]) -> bytes:
            return fault(-911)

    with fake(router, Refusing()):
        ended = server.wirecat("expose", str(PORT))
    assert (ended.returncode, "UPnP error -911" in ended.stderr) == (1, True)
    assert read_records() == []


def test_router_that_shows_another_host_is_not_believed(hosts: tuple[Host, Host]) -> None:
    """It says that it mapped the port, and shows it as another's: that one is not deleted."""
    server, router = hosts

    class Elsewhere(TableRouter):
        def add(self, values: dict[str, str]) -> bytes:
            return super().add({**values, "NewInternalClient": OTHER})

    table = Elsewhere()
    with fake(router, table):
        ended = server.wirecat("expose", str(PORT))
    assert (ended.returncode, f"shows it forwarded to {OTHER}" in ended.stderr) == (1, True)
    assert "deleted" not in "".join(table.changes)
    assert read_records() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_forward_that_came_meanwhile_stays(hosts: tuple[Host, Host], number: signal.Signals) -> None:
    """The router forgot ours, and another machine has the port now: it keeps it, at the renewal and at the end."""
    server, router = hosts
    table = TableRouter()
    with fake(router, table), start(server, "--lease", "2") as exposing:
        exposing.wait_for("stdout", LINE)
        with table.lock:
            table.table = {PORT: NEIGHBOUR}
        assert exposing.wait_for("stdout", rb"9\.9\.9\.9:12346\n")
        end(exposing, number, table, {PORT: NEIGHBOUR})


class Slow(TableRouter):
    """Needs half a second for each answer."""

    pause = 0.5

    def route(self, target: str, action: str, body: bytes) -> bytes:
        threading.Event().wait(self.pause)
        return super().route(target, action, body)


def test_slow_router_is_waited_for(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    table = Slow(p12345=NEIGHBOUR)
    with fake(router, table), start(server, "--replace") as exposing:
        exposing.wait_for("stdout", LINE)
        end(exposing, signal.SIGTERM, table, {PORT: NEIGHBOUR})


class OtherPort(TableRouter):
    """Takes another external port than was asked for, and does not say so."""

    def add(self, values: dict[str, str]) -> bytes:
        return super().add({**values, "NewExternalPort": str(int(values["NewExternalPort"]) + 1000)})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_port_that_the_router_really_took_is_shown_and_taken_back(
    hosts: tuple[Host, Host], number: signal.Signals
) -> None:
    server, router = hosts
    table = OtherPort(p80=NEIGHBOUR)
    with fake(router, table), start(server) as exposing:
        assert exposing.wait_for("stdout", LINE)[1] == b"13345"
        end(exposing, number, table, {80: NEIGHBOUR})


class Terse(TableRouter):
    """Leaves out the lease and the name of a forward."""

    def show(self, port: int) -> dict[str, str]:
        return {name: value for name, value in super().show(port).items() if "Lease" not in name and "Desc" not in name}


def test_lease_that_is_not_shown_is_the_one_that_was_asked_for(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    table = Terse(p12345=NEIGHBOUR)
    with fake(router, table), start(server) as exposing:
        exposing.wait_for("stdout", LINE)
        exposing.wait_for("stderr", rb"for 120 s")
        end(exposing, signal.SIGTERM, table, {PORT: NEIGHBOUR})


class Unlisted(TableRouter):
    """Does not show what was added since it was started."""

    def __init__(self, **entries: Entry) -> None:
        super().__init__(**entries)
        self.listed = dict(self.table)

    def get_specific(self, values: dict[str, str]) -> bytes:
        shown, self.table = self.table, {port: self.table[port] for port in self.listed}
        try:
            return super().get_specific(values)
        finally:
            self.table = shown

    def get_generic(self, values: dict[str, str]) -> bytes:
        shown, self.table = self.table, {port: self.table[port] for port in self.listed}
        try:
            return super().get_generic(values)
        finally:
            self.table = shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_unnamed_forward_to_the_same_port_is_not_taken_for_ours(
    hosts: tuple[Host, Host], number: signal.Signals
) -> None:
    server, router = hosts
    nameless = Entry(SERVER, PORT, "", 0)
    table = Unlisted(p12345=nameless)
    with fake(router, table), start(server) as exposing:
        assert exposing.wait_for("stdout", LINE)[1] == b"12346"
        end(exposing, number, table, {PORT: nameless})


def test_forward_of_a_similar_name_is_not_removed(hosts: tuple[Host, Host]) -> None:
    """Only what an earlier run made: its name has the port, and no living process of that number."""
    server, router = hosts
    table = TableRouter(
        p1=Entry(SERVER, 80, "wirecat server"), p2=Entry(OTHER, 80, "wirecat 80"), p3=Entry(SERVER, 81, "wirecat 80"),
        p4=Entry(SERVER, 80, f"wirecat 80 {os.getpid()}-abcdef"), p5=Entry(SERVER, 80, "wirecat 80 4194305-abcdef"),
    )  # fmt: skip
    with fake(router, table):
        ended = server.wirecat("expose", "--remove")
    assert ended.returncode == 1
    assert f"kept by process {os.getpid()}" in ended.stderr
    assert sorted(table.table) == [1, 2, 3, 4]


class Unwilling(TableRouter):
    """Deletes another's forward, and then maps nothing for anybody."""

    def add(self, values: dict[str, str]) -> bytes:
        return fault(606)


def test_forward_that_cannot_be_put_back_is_told_and_remembered(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    table = Unwilling(p12345=NEIGHBOUR)
    described = ok(description(("WANIPConnection:1", "/ctl"), ("WANPPPConnection:1", "/ctl")))
    with FakeRouter(router, ROUTER, route=table.route, describe=lambda: described):
        ended = server.wirecat("expose", str(PORT), "--replace")
    assert ended.returncode == 1
    assert f"was forwarded to {OTHER}:80 ('web'), without an end before, and that could not be put back" in ended.stderr
    (record,) = read_records()
    assert OTHER in record.replaced
    with fake(router, TableRouter()) as again:
        assert server.wirecat("expose", "--remove").returncode == 0
        assert "AddPortMapping" in again.requests
    assert read_records() == []


def test_all_ports_that_are_tried_are_taken(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    entries = {PORT + more: Entry(OTHER, more + 1) for more in range(8)}
    table = TableRouter(**{f"p{port}": entry for port, entry in entries.items()})
    with fake(router, table):
        ended = server.wirecat("expose", str(PORT))
    assert ended.returncode == 1
    assert f"port {PORT + 7} of the router is forwarded to {OTHER}:8" in ended.stderr
    assert "--replace" in ended.stderr
    assert (table.table, table.changes, read_records()) == (entries, [], [])


class Stuck(TableRouter):
    """Deletes, and then does not answer until it is let go; what was asked meanwhile is lost."""

    def __init__(self, **entries: Entry) -> None:
        super().__init__(**entries)
        self.let_go = threading.Event()
        self.is_stuck = threading.Event()

    def route(self, target: str, action: str, body: bytes) -> bytes:
        if action == "AddPortMapping" and not self.let_go.is_set():
            self.is_stuck.set()
            self.let_go.wait(PATIENCE)
            return fault(501)
        return super().route(target, action, body)


def test_killed_between_deleting_and_adding_puts_back(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    table = Stuck(p12345=NEIGHBOUR)
    with fake(router, table), start(server, "--replace") as exposing:
        assert table.is_stuck.wait(PATIENCE)
        assert table.table == {}
        table.let_go.set()
        end(exposing, signal.SIGKILL, table, {PORT: NEIGHBOUR})


def test_restart_under_another_path_is_found(hosts: tuple[Host, Host]) -> None:
    """The router answers 404 at the old place (a Livebox has a random path after each restart)."""
    server, router = hosts
    paths = ["/one"]

    class Moving(TableRouter):
        def route(self, target: str, action: str, body: bytes) -> bytes:
            if target != paths[0]:
                return b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
            return super().route(target, action, body)

    table = Moving()
    described = lambda: ok(description(("WANPPPConnection:2", paths[0])))  # noqa: E731
    with FakeRouter(router, ROUTER, route=table.route, describe=described), start(server, "--lease", "2") as exposing:
        exposing.wait_for("stdout", LINE)
        with table.lock:
            paths[0] = "/two"
            table.table.clear()
        wait_until(lambda: PORT in table.table)
        end(exposing, signal.SIGTERM, table, {})


class FallingSilent(Permanent):
    """Adds the second mapping, and answers nothing; shows nothing and deletes nothing from then on."""

    code = 0

    def route(self, target: str, action: str, body: bytes) -> bytes:
        if self.changes.count(f"added {PORT + 1}"):
            return b""
        answered = super().route(target, action, body)
        return b"" if self.changes.count(f"added {PORT + 1}") else answered


def test_unclear_mapping_of_a_renewal_is_told_and_remembered(hosts: tuple[Host, Host]) -> None:
    """Another machine took the port; what became of the next one is not known."""
    server, router = hosts
    table = FallingSilent()
    with fake(router, table), start(server, "--lease", "2", "--permanent") as exposing:
        exposing.wait_for("stdout", LINE)
        with table.lock:
            table.table = {PORT: NEIGHBOUR}
        wait_until(lambda: PORT + 1 in table.table)
        exposing.signal(signal.SIGTERM)
        assert exposing.wait() == 1
        assert b":12346 may still be mapped to port 12345" in exposing.stderr
    assert [record.external_port for record in read_records()] == [PORT + 1]
    again = TableRouter(**{f"p{port}": entry for port, entry in table.table.items()})
    with fake(router, again):
        assert server.wirecat("expose", "--remove").returncode == 0
    assert (again.table, read_records()) == ({PORT: NEIGHBOUR}, [])


def test_forward_that_came_just_before_the_end_stays(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    table = TableRouter()
    with fake(router, table), start(server) as exposing:
        exposing.wait_for("stdout", LINE)
        with table.lock:
            table.table = {PORT: PERMANENT}
        end(exposing, signal.SIGTERM, table, {PORT: PERMANENT})


def test_restarted_router_is_found_at_its_new_address_and_asked_again(hosts: tuple[Host, Host]) -> None:
    """All mappings are gone, and it is called at another port now."""
    server, router = hosts
    table = TableRouter()
    first = fake(router, table)
    with contextlib.ExitStack() as until_restart:
        until_restart.enter_context(first)
        with start(server, "--lease", "2") as exposing:
            exposing.wait_for("stdout", LINE)
            until_restart.close()
            table.table.clear()
            with fake(router, table) as second:
                assert second.port != first.port
                wait_until(lambda: PORT in table.table)
                end(exposing, signal.SIGTERM, table, {})


def wait_until(what: Callable[[], bool]) -> None:
    """Ask over and over: the router has no event to wait for."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if what():
            return
        waiting.wait(0.05)
    raise AssertionError(f"not in {PATIENCE:g} s")
