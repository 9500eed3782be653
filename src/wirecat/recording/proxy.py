"""The handler of a recording proxy: each client is joined to a connection of its own to the target."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.endpoints import scheme_of
from wirecat.errors import UsageError
from wirecat.pump import pump
from wirecat.talk import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.connection import Connection


class Forward:
    """Call it with a client's connection: it connects to ``target``, and moves bytes until both directions have ended.

    Raises UsageError for a target that has no streams. What keeps a client from the target ends that client alone.
    """

    def __init__(self, target: Address, *, timeout: float = 10.0) -> None:
        if scheme_of(target).keeps_boundaries:
            raise UsageError("a recording proxy is for streams", address=target, step="record")
        self.target = target.target()
        self._timeout = timeout

    def __call__(self, connection: Connection) -> None:
        """One client, from beginning to end. Raises what connecting raises, and what broke either side."""
        with connect(self.target, timeout=self._timeout) as upstream:
            connection.on_abort = upstream.abort
            result = pump(connection, upstream)
        if result.failures:
            raise result.failures[0]
