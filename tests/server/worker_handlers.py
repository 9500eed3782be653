"""Handlers as a user writes them, which worker processes of the tests import."""

from __future__ import annotations

import os
import threading

from wirecat import AsyncConnection, Connection, Responder


def who(connection: Connection) -> None:
    """Says which process it is, then echoes."""
    connection.send_line(str(os.getpid()))
    while (data := connection.receive()) is not None:
        connection.send(data)


async def awho(connection: AsyncConnection) -> None:
    """As ``who``, on the event loop."""
    await connection.send_line(str(os.getpid()))
    while (data := await connection.receive()) is not None:
        await connection.send(data)


class Who(Responder):
    """As ``who``, on either engine."""

    def opened(self) -> bytes:
        return f"{os.getpid()}\n".encode()

    def receive(self, data: bytes) -> bytes:
        return data


def stubborn(connection: Connection) -> None:
    """Will not end."""
    connection.send_line(str(os.getpid()))
    threading.Event().wait(60)


def broken(connection: Connection) -> None:
    """Fails for each client."""
    raise RuntimeError("on purpose")
