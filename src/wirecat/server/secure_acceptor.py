"""The accept loop for TLS clients that threads will serve: it does their handshakes as well."""

from __future__ import annotations

from wirecat.server.acceptor import Acceptor
from wirecat.server.socket_handshakes import SocketHandshakes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from wirecat.server.handshakes import Handshakes
    from wirecat.stream import Stream


class SecureAcceptor(Acceptor):
    """As Acceptor; ``adopt(stream)`` is called for each client whose handshake is complete."""

    def __init__(
        self, listener: Any, registry: Any, access: Any, adopt: Callable[[Stream], None], *arguments: Any,
        handshakes: Handshakes, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(listener, registry, access, self._begin, *arguments, handshakes=handshakes, **options)
        self._serve = adopt
        self._table = handshakes
        self._driver = SocketHandshakes(self._selector, listener, handshakes, registry, self._serve_secured)

    def start(self) -> None:
        """Begin to accept."""
        super().start()
        self._driver.listener.prepare()

    def _begin(self, accepted: socket.socket, peer: Any) -> None:
        self._driver.take(accepted, peer)

    def _serve_secured(self, stream: Stream) -> None:
        try:
            self._serve(stream)
        except Exception as error:
            stream.abort()
            stream.close()
            self._fail_one(error)

    def _next_work(self) -> float | None:
        return self._table.wait

    def _work(self) -> None:
        self._table.expire()
