"""A conversation between standard input and output and one peer: what ``connect`` and ``listen`` share."""

from __future__ import annotations

from time import monotonic

from wirecat.connection import Connection
from wirecat.endpoints.stdio import StdioStream
from wirecat.errors import DeadlineExpired
from wirecat.pump import FORWARD, pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.errors import ConnectionClosed
    from wirecat.pump import OnPath
    from wirecat.taps.printable import PrintableTap
    from wirecat.taps.tap import Tap

REPLY_WAIT = 0.5  # seconds


def converse(
    connection: Connection,
    environment: Environment,
    *,
    newline: str = "lf",
    verbose: int = 0,
    half_close: bool = True,
    local: StdioStream | None = None,
    ends_with_input: bool = False,
    observer: Tap | None = None,
) -> int:
    """Pump until the peer's end. Returns 0; raises what broke the connection, or OutputClosed.

    A peer that cannot be told that nothing more will be sent (UDP) would never end: with ``ends_with_input`` the end of
    the input ends it, once nothing has come for REPLY_WAIT seconds. ``observer`` sees what goes over the wire.
    """
    stdio = local or StdioStream(environment.stdin.fileno(), environment.stdout.fileno())
    screen = attach_taps(connection, environment, newline, observer)
    started = monotonic()
    try:
        linger = REPLY_WAIT if ends_with_input and not connection.stream.can_half_close else None
        on_path = path_teller(environment) if verbose else None
        failures = _pump(stdio, connection, half_close, linger, on_path)
        if screen is not None and not screen.at_line_start:
            stdio.send(b"\n")  # what is said next, by us or by the shell, gets a line of its own
    finally:
        if local is None:
            stdio.close()
    if verbose:
        environment.message(
            f"{connection.peer}: {connection.bytes_sent} bytes sent, {connection.bytes_received} bytes received "
            f"in {monotonic() - started:.2f} s"
        )
    if failures:
        raise failures[0]
    return 0


def attach_taps(
    connection: Connection, environment: Environment, newline: str, observer: Tap | None
) -> PrintableTap | None:
    """Give a connection the taps of a conversation; the one that shows it on a terminal, if there is one."""
    if newline != "lf":
        from wirecat.taps.newline import NewlineTap

        connection.attach(NewlineTap(newline))
    if observer is not None:
        connection.attach(observer)
    if not environment.stdout_is_terminal:
        return None
    from wirecat.taps.printable import PrintableTap

    screen = PrintableTap()
    connection.attach(screen)
    return screen


def path_teller(environment: Environment) -> Callable[[str, str], None]:
    """What tells a user how the bytes of each direction move: ``sending: zero-copy``."""

    def tell(direction: str, how: str) -> None:
        environment.message(f"{'sending' if direction == FORWARD else 'receiving'}: {how}")

    return tell


def _pump(
    stdio: StdioStream, connection: Connection, half_close: bool, linger: float | None, on_path: OnPath | None
) -> list[OSError | ConnectionClosed]:
    """Pump, and give what went wrong."""
    try:
        return pump(
            Connection(stdio), connection, until_right_ends=True, half_close=half_close, linger=linger, on_path=on_path
        ).failures
    except DeadlineExpired:
        return []
