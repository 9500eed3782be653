"""A conversation between standard input and output and one peer: what ``connect`` and ``listen`` share."""

from __future__ import annotations

from time import monotonic

from wirecat.connection import Connection
from wirecat.endpoints.stdio import StdioStream
from wirecat.pump import pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment


def converse(
    connection: Connection,
    environment: Environment,
    *,
    newline: str = "lf",
    verbose: int = 0,
    half_close: bool = True,
    local: StdioStream | None = None,
) -> int:
    """Pump until the peer's end. Returns 0; raises what broke the connection, or OutputClosed."""
    stdio = local or StdioStream(environment.stdin.fileno(), environment.stdout.fileno())
    if newline != "lf":
        from wirecat.taps.newline import NewlineTap

        connection.attach(NewlineTap(newline))
    if environment.stdout_is_terminal:
        from wirecat.taps.printable import PrintableTap

        connection.attach(PrintableTap())
    started = monotonic()
    try:
        result = pump(Connection(stdio), connection, until_right_ends=True, half_close=half_close)
    finally:
        if local is None:
            stdio.close()
    if verbose:
        environment.message(
            f"{connection.peer}: {connection.bytes_sent} bytes sent, {connection.bytes_received} bytes received "
            f"in {monotonic() - started:.2f} s"
        )
    if result.failures:
        raise result.failures[0]
    return 0
