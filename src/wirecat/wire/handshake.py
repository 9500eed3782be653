"""A client's handshake with a proxy, without I/O: what ``Socks4Client``, ``Socks5Client`` and ``ConnectClient`` share.

    to_send = handshake.start()
    while not handshake.done:
        send(to_send), data = receive()
        to_send = handshake.receive(data)        # at the proxy's end: handshake.receive_end()
    the tunnel begins with handshake.rest

How what arrives is cut into pieces makes no difference. Nothing is kept of it but the reply that is not whole yet, and
a reply has an end or is refused: what a proxy sends cannot fill the memory.
"""

from __future__ import annotations

from wirecat.errors import ProxyError
from wirecat.wire.authority import format_authority
from wirecat.wire.framing import ReceiveBuffer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    #: Looks at what has arrived. Gives None while too little is there; else the bytes to send, which may be none.
    Step = Callable[[], bytes | None]


#: What to try where a proxy wants credentials and there are none.
CREDENTIALS_HINT = "Give them with --proxy-auth @FILE, or in WIRECAT_PROXY_AUTH."


class Handshake:
    """The state of one handshake, from ``start`` until ``done``.

    ``done``: the proxy has connected us; then ``bound`` is the host and port that the proxy says it uses, where its
    protocol tells, and ``rest`` are the bytes after the reply: the first that the target sent.
    ``reconnect``: the proxy wants to be asked again on a new connection: open one and call ``start`` again.
    """

    __slots__ = ("_buffer", "_failure", "_step", "bound", "done", "host", "port", "reconnect", "rest", "target")

    def __init__(self, host: str, port: int) -> None:
        """``host`` is a name or an address without brackets. Raises UsageError for what is no host or no port."""
        self.host = host
        self.port = port
        self.target = format_authority(host, port)
        self._reset(self._nothing)

    def _reset(self, step: Step) -> None:
        self._buffer = ReceiveBuffer()
        self._failure: ProxyError | None = None
        self._step: Step = step
        self.bound: tuple[str, int] | None = None
        self.done = False
        self.reconnect = False
        self.rest = b""

    def start(self) -> bytes:
        """The first bytes to send on a fresh connection to the proxy. May be called again for another connection."""
        raise NotImplementedError

    def receive(self, data: bytes) -> bytes | None:
        """Take in what the proxy sent. Gives what is to be sent next, or None.

        Send it even when ``done`` is true afterwards. Raises ProxyError if the proxy refuses or answers nonsense, and
        the same one again at each later call.
        """
        if self.done:
            self.rest += data
            return None
        if self._failure is not None:
            raise self._failure
        self._buffer.feed(data)
        answer = b""
        while not (self.done or self.reconnect):
            sent = self._step()
            if sent is None:
                return answer or None
            answer += sent
        if self.done:
            self.rest = self._buffer.take(len(self._buffer))
        return answer or None

    def receive_end(self) -> None:
        """The proxy has closed the connection. Raises ProxyError unless all is done, or is to go on elsewhere."""
        if self.done or self.reconnect:
            return
        if self._failure is not None:
            raise self._failure
        raise self._failed("the proxy closed the connection before it had answered", kind="closed")

    def _nothing(self) -> bytes | None:
        """Before ``start``, and once all is over, nothing is expected."""
        return None

    def _failed(self, message: str, kind: str = "refused", status: int | None = None, hint: str = "") -> ProxyError:
        """The error to raise, which is kept."""
        self._failure = ProxyError(message, kind=kind, status=status, address=self.target, step="connect", hint=hint)
        return self._failure
