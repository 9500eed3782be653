"""The verb ``relay``: a server whose handler joins each client to a connection of its own to the target."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints import check_address, open_stream, scheme_of
from wirecat.endpoints.exec import ExecStream, start_program
from wirecat.errors import ConnectionBroken, UsageError, WirecatError
from wirecat.events import Event, Failed
from wirecat.options import ConnectOptions
from wirecat.pump import pump
from wirecat.server.handlers.exec import join_program, program_environment
from wirecat.server.own_address import leads_back
from wirecat.server.server import serve
from wirecat.stream import PartnerLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.events import Listener as EventListener
    from wirecat.pump import OnPath, PumpResult
    from wirecat.server.server import Server
    from wirecat.stream import Stream
    from wirecat.taps.tap import Tap


EXIT_WAIT = 1.0  # seconds that a program has to end after its last output, for its exit code to be known


class Joined(Event):
    """The client of number ``connection`` is joined to ``target``, from this side's address ``local`` there."""

    __slots__ = ("connection", "local", "peer", "target")
    name = "joined"
    connection: int
    peer: Address
    target: Address
    local: Address


class Moving(Event):
    """How the bytes of one direction move, when the first have moved and when it changes.

    ``direction`` is ``forward`` (from the client to the target) or ``backward``, ``how`` is ``zero-copy``, or ``copy:`` and
    the reason.
    """

    __slots__ = ("connection", "direction", "how", "peer")
    name = "moving"
    connection: int
    peer: Address
    direction: str
    how: str


class Relay:
    """The handler. ``tell`` is given its events; ``failure`` is what the last connection that failed did so with, and
    ``exit_code`` what the last program ended with, within EXIT_WAIT seconds of its last output."""

    def __init__(self, target: Address, timeout: float | None = 10.0) -> None:
        self.target = target
        self.failure: WirecatError | None = None
        self.exit_code: int | None = None
        self.tell: Callable[[Event], None] = lambda event: None
        self._timeout = ConnectOptions(timeout).timeout
        self._own: tuple[Address, ...] = ()
        self._circle = False  # the target is the relay itself: each connection there would make another

    def listening(self, addresses: tuple[Address, ...]) -> None:
        """Where it can be reached itself; told by the server. Raises UsageError where that is the target."""
        self._own = addresses
        goal = self.target
        if goal.port is not None and any(
            own.port == goal.port and (own.host == goal.host or (goal.this_pc_only and own.this_pc_only))
            for own in addresses
        ):
            raise self._round_in_a_circle()

    def _round_in_a_circle(self) -> UsageError:
        self._circle = True
        return UsageError("that is the relay itself: it would go round in a circle", address=self.target.bare)

    def __call__(self, connection: Connection) -> None:
        """Join one client to the target until both have ended, or one has failed, which ends the other."""
        try:
            self._join(connection)
        except WirecatError as error:
            self.failure = error
            if isinstance(error, ConnectionBroken) and error.address in (None, connection.peer):
                raise  # so that it is told how the client ended
            if not connection.cut_reason:
                self.tell(Failed(connection=connection.id, peer=connection.peer, error=str(error), traceback=""))
        except Exception as error:  # reported with its traceback; here it is for the exit code of a single connection
            text = f"internal error: {type(error).__name__}: {error}"
            self.failure = WirecatError(text, address=self.target.bare, step="relay")
            raise

    def _join(self, connection: Connection) -> None:
        if self._circle:
            raise self._round_in_a_circle()
        program = None
        if self.target.scheme == "exec":
            program = start_program(self.target.path, environment=program_environment(connection))
        far = Connection(program or self._open(connection))

        def cut() -> None:
            if connection.cut_reason:
                far.abort()

        connection.on_abort = cut
        connection.far = far
        try:
            cut()  # it may have been cut meanwhile
            if leads_back(far, self._own):
                raise self._round_in_a_circle()
            self.tell(Joined(connection=connection.id, peer=connection.peer, target=self.target.bare, local=far.local))
            if isinstance(program, ExecStream):
                join_program(connection, program, self._on_path(connection))
                self.exit_code = program.wait_for_exit(EXIT_WAIT)
            else:
                _raise_first(pump(connection, far, on_path=self._on_path(connection)))
        except BaseException:
            far.abort()
            raise
        finally:
            connection.on_abort = connection.far = None
            far.close()

    def _open(self, client: Connection) -> Stream:
        """Connect to the target. Raises what connecting raises, and ConnectionBroken where the client is lost meanwhile."""
        try:
            return open_stream(self.target, Deadline(self._timeout, client.stream))
        except PartnerLost as loss:
            raise loss.failure(client.peer) from None

    def _on_path(self, connection: Connection) -> OnPath:
        def tell(direction: str, how: str) -> None:
            self.tell(Moving(connection=connection.id, peer=connection.peer, direction=direction, how=how))

        return tell


def _raise_first(result: PumpResult) -> None:
    if result.failures:
        raise result.failures[0]


def relay(
    address: str | int | Address,
    target: str | int | Address,
    *,
    keep_open: bool = False,
    timeout: float | None = 10.0,
    on_event: EventListener | None = None,
    on_start: Callable[[Server], None] | None = None,
    **options: Any,
) -> Server:
    """Listen on ``address`` and join who connects to a connection of its own to ``target``; the server, running.

    Both may be of any scheme for streams of bytes (TCP, TLS, Unix domain sockets); the target may be a program
    (``exec:COMMAND``) too. Bytes go both ways, each end is passed on as a half-close, and move inside the kernel where that
    can be. One connection is served, and then the server has ended; with ``keep_open`` any number, many at once.
    ``timeout`` is how many seconds connecting to the target may take. The rest is as in ``serve``.

    Raises what ``serve`` raises, and AddressError or UnknownHost for a target that is not possible. A target that cannot be
    reached ends its client alone, and is told as a Failed event.

    >>> import wirecat
    >>> with wirecat.serve("reply:got {data}", "127.0.0.1:0") as server:
    ...     with wirecat.relay("127.0.0.1:0", server.address) as relay:
    ...         with wirecat.connect(relay.address) as connection:
    ...             connection.send(b"this")
    ...             connection.receive()
    b'got this'
    """
    place, goal = Address.parse(address), Address.parse(target).target()
    require_streams(place, goal)
    check_address(goal)
    handler = Relay(goal, timeout)

    def start(server: Server) -> None:
        handler.tell = server.publish
        if on_start is not None:
            on_start(server)

    return serve(handler, place, on_event=on_event, on_start=start, once=not keep_open, **options)


def require_streams(*addresses: Address) -> None:
    """Raise UsageError for an address that a relay cannot join, and AddressError for one that is none."""
    for address in addresses:
        if scheme_of(address).keeps_boundaries:
            raise UsageError("a relay is for streams of bytes, not for datagrams", address=address.bare, step="relay")
        if address.scheme == "stdio":
            raise UsageError("standard input and output are there once", address=address, step="relay")


def join_program_to(
    program: str | Address,
    target: str | int | Address,
    *,
    timeout: float | None = 10.0,
    on_path: OnPath | None = None,
    tap: Tap | None = None,
    on_exit: Callable[[int], None] | None = None,
) -> tuple[int, int]:
    """Start a program (``exec:COMMAND``), connect to ``target`` and join the two until both have ended; how many bytes went
    to the target, and came from there. ``tap`` sits on the connection to the target. ``on_exit`` is called with the
    program's exit code (see ``Program.wait_for_exit``); of two programs, with the first that is not 0.

    Raises what connecting raises, and what broke a side; the program is ended then.
    """
    start, goal = Address.parse(program), Address.parse(target).target()
    require_streams(start, goal)
    deadline = Deadline(ConnectOptions(timeout).timeout)
    with Connection(open_stream(goal, deadline)) as far, Connection(open_stream(start, deadline)) as near:
        if tap is not None:
            far.attach(tap)
        try:
            result = pump(near, far, on_path=on_path)
            _raise_first(result)
        except BaseException:
            near.abort()
            far.abort()
            raise
        if on_exit is not None:
            programs = [end.stream.program for end in (near, far)]
            codes = [program.wait_for_exit() for program in programs if program is not None]
            on_exit(next((code for code in codes if code), 0))
    return result.forward, result.backward
