#!/usr/bin/env python3
"""The exercise's multithreaded server: a thread for every client, until Ctrl-C.

    python3 server_threads.py [ADDRESS [PORT]]     (127.0.0.1 12345 unless told otherwise; port 0 is a free
    one)

Prints who came, from which IP address and port, and what each said, and answers `You told me: ` and what it
was. The address 0.0.0.0 opens it to the whole network.
"""

from __future__ import annotations

import codecs
import socket
import sys
import threading

TICK = 0.5  # seconds in one blocking accept()
PATIENCE = 2.0  # seconds that a thread has to end in, at Ctrl-C


def say(text: str) -> None:
    """Print a line."""
    # MEND: print() writes the text and the end of its line one after the other, and two threads mix them up.
    print(text + "\n", end="", flush=True)


class Server:
    """The listening socket, and every client that is connected with the thread that serves it."""

    def __init__(self, address: str, port: int) -> None:
        self.listener = socket.socket()
        # MEND: SO_REUSEADDR, so that the port can be had again at once after the last server ended. Not on
        # Windows, where it would let two servers share the port: there SO_EXCLUSIVEADDRUSE keeps it ours.
        if sys.platform == "win32":
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # MEND: with a time limit accept() comes up for air, so that Ctrl-C works on Windows too.
        self.listener.settimeout(TICK)
        try:
            self.listener.bind((address, port))
            self.listener.listen(128)
        except OSError:
            self.listener.close()
            raise
        self.clients: dict[socket.socket, threading.Thread] = {}
        self.lock = threading.Lock()

    def run(self) -> None:
        """Accept for ever, a thread for each."""
        own_address, own_port = self.listener.getsockname()
        say(f"listening on {own_address} port {own_port}")
        while True:
            try:
                client, (address, port) = self.listener.accept()
            except TimeoutError:
                continue
            # A daemon: should it hang in spite of all, the program ends all the same.
            thread = threading.Thread(target=self.serve, args=(client, f"{address} port {port}"), daemon=True)
            with self.lock:
                self.clients[client] = thread
                say(f"client {address} port {port} has connected ({len(self.clients)} now)")
                thread.start()

    def serve(self, client: socket.socket, name: str) -> None:
        """The life of one client, in its own thread."""
        how = "has closed"
        try:
            self.answer(client, name)
        except OSError as error:
            # MEND: a client that crashes resets the connection. That ends this thread and disturbs nobody.
            how = f"broke off: {error}"
        finally:
            # MEND: the usual version never gets here, and leaves a thread and a socket behind for every
            # client. Here, whatever happened, the socket is closed, its entry in the table goes, and so the
            # thread ends.
            client.close()
            with self.lock:
                del self.clients[client]
                say(f"client {name} {how} ({len(self.clients)} now)")

    def answer(self, client: socket.socket, name: str) -> None:
        """Answer each piece that comes, until the client closes."""
        # MEND: a piece may end in the middle of a character. The decoder keeps the half until its rest has
        # come, where piece.decode() would fail. Bytes that are no UTF-8 go back as they came,
        # by `surrogateescape`.
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        while True:
            piece = client.recv(1024)
            text = decoder.decode(piece, final=not piece)
            if piece or text:
                say(f"{name} says {text!r}")
                # MEND: sendall(), because send() may take only a part.
                client.sendall(f"You told me: {text}".encode("utf-8", "surrogateescape"))
            if not piece:
                # MEND: b"" means that the client has closed. Without this the loop would go round for ever.
                return

    def close(self) -> None:
        """Stop listening, hang up on every client, and see every thread to its end."""
        self.listener.close()
        with self.lock:
            clients = dict(self.clients)
            for client in clients:
                # MEND: nothing else wakes a thread that sits in recv(): closing the socket under it does not.
                try:
                    client.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # this client has just gone by itself
        for thread in clients.values():
            thread.join(PATIENCE)


def main() -> int:
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 12345
    try:
        server = Server(address, port)
    except OSError as error:
        print(f"{address} port {port}: {error}", file=sys.stderr)
        return 1
    try:
        server.run()
    except KeyboardInterrupt:
        say("ended by Ctrl-C")
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
