"""Talking: connect to a server, listen for a client, wait until somebody accepts."""

from __future__ import annotations

import os

from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream
from wirecat.errors import AddressError, DeadlineExpired, ListenError, NoAnswer, UsageError, WirecatError
from wirecat.options import ConnectOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from wirecat.async_connection import AsyncConnection
    from wirecat.connection import Connection
    from wirecat.endpoints.listener import Listener
    from wirecat.stream import Stream

    Retrying = Callable[[WirecatError, float], None]

FIRST_PAUSE = 0.1  # seconds before the first retry; doubled each time
LONGEST_PAUSE = 5.0
_NOBODY_ACCEPTS = ("udp", "exec", "stdio")


def connect(
    address: str | int | Address, *, timeout: float | None = 10.0, retry: int = 0, on_retry: Retrying | None = None
) -> Connection:
    """Connect to ``address`` and return the open connection.

    ``timeout`` is one deadline in seconds for all of it: name lookup, every address (IPv6 and IPv4 raced as RFC 8305
    says) and the retries; None waits as long as the system does. ``retry`` is how often to try again after a failure;
    before each pause ``on_retry(error, seconds)`` is called.

    Raises AddressError, UnknownHost, Refused, NoAnswer, Unreachable.

    >>> import wirecat
    >>> with wirecat.serve("reply:got {data}", "127.0.0.1:0") as server:
    ...     with wirecat.connect(server.address) as connection:
    ...         connection.send(b"\\xff")
    ...         connection.receive()
    b'got \\xff'
    """
    options = ConnectOptions(timeout, retry)
    stream = _open(Address.parse(address), Deadline(options.timeout), options.retry, on_retry)
    from wirecat.connection import Connection  # not at the top: whoever is refused need not wait for it

    return Connection(stream)


async def connect_async(
    address: str | int | Address, *, timeout: float | None = 10.0, retry: int = 0, on_retry: Retrying | None = None
) -> AsyncConnection:
    """As ``connect``, for an event loop: the connecting itself waits in a thread (which calls ``on_retry``), the connection
    is the loop's. Where it is cancelled, whatever the thread still connects to is closed again.

    >>> import asyncio, wirecat
    >>> async def first_bytes(address):
    ...     async with await wirecat.connect_async(address) as connection:
    ...         return await connection.receive_exactly(3)
    >>> with wirecat.serve("chargen", "127.0.0.1:0") as server:
    ...     asyncio.run(first_bytes(server.address))
    b' !"'
    """
    import asyncio

    from wirecat.async_connection import AsyncConnection
    from wirecat.endpoints.socket_stream import SocketStream

    options = ConnectOptions(timeout, retry)
    target = Address.parse(address)
    deadline = Deadline(options.timeout)
    opened: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()

    def told(error: WirecatError, seconds: float) -> None:
        if opened.cancelled():
            raise error
        if on_retry is not None:
            on_retry(error, seconds)

    _open_in_a_thread(opened, lambda: _open(target, deadline, options.retry, told))
    stream = await opened
    try:
        if not isinstance(stream, SocketStream):
            raise UsageError("an event loop cannot drive this kind of address", address=target, step="connect")
        return await AsyncConnection(stream.socket, stream.peer).start()
    except BaseException:
        _drop(stream)
        raise


def _open_in_a_thread(opened: asyncio.Future[Stream], open_it: Callable[[], Stream]) -> None:
    """Call ``open_it`` in a thread of its own: in the loop's pool a few silent hosts would hold up all others, and the end
    of the program as well."""
    import threading

    loop = opened.get_loop()

    def deliver(stream: Stream | None, error: Exception | None) -> None:
        if opened.done():  # cancelled: nobody will have it
            _drop(stream)
        elif stream is not None:
            opened.set_result(stream)
        elif error is not None:
            opened.set_exception(error)

    def work() -> None:
        stream = failure = None
        try:
            stream = open_it()
        except Exception as error:
            failure = error
        try:
            loop.call_soon_threadsafe(deliver, stream, failure)
        except RuntimeError:  # the loop has ended
            _drop(stream)

    threading.Thread(target=work, name="wirecat-connect", daemon=True).start()


def _drop(stream: Stream | None) -> None:
    if stream is not None:
        stream.abort()  # so that closing it need not wait for anything
        stream.close()


def wait(address: str | int | Address, *, timeout: float | None = 30.0) -> float:
    """Wait until ``address`` accepts a connection (which is closed again at once); the seconds it took.

    Raises NoAnswer if it never did within ``timeout`` seconds, UnknownHost or AddressError for what waiting does not
    mend.

    >>> import wirecat
    >>> with wirecat.serve("discard", "127.0.0.1:0") as server:
    ...     wirecat.wait(server.address, timeout=5) < 5
    True
    """
    from time import monotonic

    started = monotonic()
    target = Address.parse(address)
    options = ConnectOptions(timeout)
    deadline = Deadline(options.timeout)
    if target.scheme in _NOBODY_ACCEPTS:
        raise AddressError(
            f"nobody accepts on {target.scheme}: there is nothing to wait for", address=target, step="wait"
        )
    try:
        stream = _open(target, deadline, None, None)
        took = monotonic() - started
        stream.close()
    except WirecatError as error:
        if not isinstance(error, (ConnectionRefusedError, TimeoutError)) and not _passes(error):
            raise
        raise NoAnswer(
            f"it did not accept within {timeout:g} s (last: {error.message})", address=target.bare, step="wait"
        ) from error
    return took


def _passes(error: WirecatError) -> bool:
    """Whether trying again may help: not with a name that is wrong or an address that cannot be."""
    from wirecat.errors import BindError, CertificateError, ProxyError, UnknownHost

    if isinstance(error, ProxyError):  # a password that is wrong stays so; a target that refuses may come
        return error.kind in ("refused", "closed")
    return not isinstance(error, (UsageError, BindError, UnknownHost, CertificateError))


def _open(address: Address, deadline: Deadline, retry: int | None, on_retry: Retrying | None) -> Stream:
    """Open a stream, trying again ``retry`` times (None: until the deadline)."""
    pause = FIRST_PAUSE
    tries = 0
    told: WirecatError | None = None
    while True:
        attempt = deadline
        if retry is None and deadline.seconds is not None:
            # Whoever waits for a server must not spend it all on one SYN that was dropped.
            attempt = Deadline(min(1.0 + tries, deadline.remaining() or 0.0))
        try:
            return open_stream(address, attempt)
        except WirecatError as error:
            tries += 1
            # "Refused" says more than that the last, shortened try found no answer.
            told = error if told is None or not isinstance(error, TimeoutError) else told
            left = deadline.remaining()
            spent = (retry is not None and tries > retry) or (left is not None and left <= 0)
            if spent or not _passes(error):
                if told is not error and _passes(error):
                    raise told from error
                raise
            # Some jitter, so that a crowd that was cut off at once does not come back at once.
            seconds = pause * (0.8 + os.urandom(1)[0] / 1280)
            seconds = seconds if left is None else min(seconds, left)
            if on_retry is not None:
                on_retry(error, seconds)
            _pause(seconds)
            pause = min(pause * 2, LONGEST_PAUSE)


def _pause(seconds: float) -> None:
    """Let time pass; Ctrl-C ends it (which on Windows does not end a wait for a lock, so that is cut into slices)."""
    import sys
    import threading

    deadline, never = Deadline(seconds), threading.Event()
    while not deadline.expired:
        never.wait(deadline.within(0.2 if sys.platform == "win32" else seconds))


class ConnectionListener:
    """A listener that gives connections. Made by ``listen``; a context manager.

    ``addresses`` are those really bound, ``address`` the first of them.
    """

    __slots__ = ("_accepted", "_listener")

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._accepted = 0

    @property
    def addresses(self) -> tuple[Address, ...]:
        """What is listened on, port 0 replaced by the port given."""
        return self._listener.addresses

    @property
    def address(self) -> Address:
        """The first of ``addresses``."""
        return self._listener.addresses[0]

    @property
    def listener(self) -> Listener:
        """The listener below, for what serves its clients by itself."""
        return self._listener

    def accept(self, timeout: float | None = None) -> Connection:
        """Wait for the next client.

        Raises DeadlineExpired (a TimeoutError) after ``timeout`` seconds, ListenError when it cannot accept, or is closed
        meanwhile by another thread.
        """
        try:
            stream = self._listener.accept(timeout)
        except TimeoutError as error:
            raise DeadlineExpired(str(error.strerror), seconds=timeout, address=self.address, step="accept") from error
        except OSError as error:
            raise ListenError(
                error.strerror or str(error), address=self.address, step="accept", errno=error.errno
            ) from error
        self._accepted += 1
        from wirecat.connection import Connection

        return Connection(stream, self._accepted)

    def close(self) -> None:
        """Stop listening; accepted connections go on."""
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def listen(address: str | int | Address, *, backlog: int = 1024) -> ConnectionListener:
    """Listen on ``address`` and accept clients one by one.

    Raises AddressError, UnknownHost, ListenError (taken, privileged, not this machine's).

    >>> import wirecat
    >>> with wirecat.listen("127.0.0.1:0") as listener, wirecat.connect(listener.address) as client:
    ...     with listener.accept(timeout=5) as connection:
    ...         client.send_line("hello")
    ...         connection.receive_line()
    'hello'
    """
    return ConnectionListener(open_listener(Address.parse(address), backlog))
