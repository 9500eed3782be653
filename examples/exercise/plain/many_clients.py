#!/usr/bin/env python3
"""The exercise's crowd: many clients at once, each in a thread, each checking every reply.

    python3 many_clients.py [ADDRESS [PORT [CLIENTS]]]     (127.0.0.1 12345, 50 clients unless told otherwise)

For a server that answers `You told me: ` and what it was told. Exit code 1 if any reply was wrong or any
client failed.
"""

from __future__ import annotations

import socket
import sys
import threading

MESSAGES = 3  # from each client
LIMIT = 20.0  # seconds that one step of a client may take


class Crowd:
    """The clients' threads, and what they have counted between them."""

    def __init__(self, address: str, port: int, clients: int) -> None:
        self.address = address
        self.port = port
        self.clients = clients
        self.connected = 0
        self.right = 0
        self.wrong = 0
        self.failed = 0
        # MEND: += from several threads loses counts; the lock keeps them.
        self.lock = threading.Lock()
        # MEND: the first clients would have gone before the last came. Everybody waits here before leaving,
        # whether it went well or not, so that all of them really are connected at once.
        self.meeting = threading.Barrier(clients)

    def run(self) -> None:
        """Start every client and wait until all of them are done."""
        threads = [threading.Thread(target=self.client, args=(n,), daemon=True) for n in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def client(self, number: int) -> None:
        """One client, in its own thread."""
        connection = None
        try:
            connection = socket.create_connection((self.address, self.port), timeout=LIMIT)
            with self.lock:
                self.connected += 1
            for message in range(MESSAGES):
                self.ask(connection, f"Grüße von {number}, message {message}".encode())
        except OSError as error:
            with self.lock:
                self.failed += 1
            print(f"client {number}: {error}\n", end="", file=sys.stderr)
        finally:
            self.meeting.wait()
            if connection is not None:
                connection.close()

    def ask(self, connection: socket.socket, message: bytes) -> None:
        """Send one message and check its reply."""
        expected = b"You told me: " + message
        connection.sendall(message)
        reply = b""
        while len(reply) < len(expected):
            # MEND: the reply may come in pieces, so go on until it is all there. b"" is the end, not a piece.
            piece = connection.recv(len(expected) - len(reply))
            if not piece:
                raise ConnectionError(f"closed after {len(reply)} of {len(expected)} bytes of a reply")
            reply += piece
        with self.lock:
            if reply == expected:
                self.right += 1
            else:
                self.wrong += 1


def main() -> int:
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 12345
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 50
    crowd = Crowd(address, port, clients)
    try:
        crowd.run()
    except KeyboardInterrupt:
        return 130
    print(
        f"{clients} clients, {crowd.connected} connected, {crowd.right} replies right, "
        f"{crowd.wrong} wrong, {crowd.failed} clients failed"
    )
    return 0 if crowd.right == clients * MESSAGES else 1


if __name__ == "__main__":
    sys.exit(main())
