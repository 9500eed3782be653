#!/usr/bin/env python3
"""The exercise's simple server: ONE client, read in pieces of at most 30 bytes, each answered by itself.

    python3 server.py [ADDRESS [PORT]]        (127.0.0.1 12345 unless told otherwise; port 0 is a free one)

Each piece is answered with `server got: ` and the piece. The server ends when its client has gone, or at
Ctrl-C.
"""

from __future__ import annotations

import codecs
import socket
import sys

PIECE = 30  # bytes fetched at once
TICK = 0.5  # seconds in one blocking call


def open_listener(address: str, port: int) -> socket.socket:
    """Open the listening socket."""
    listener = socket.socket()
    try:
        # MEND: a port whose last connection has just ended stays "in use" for a minute or so (TIME_WAIT). On
        # POSIX SO_REUSEADDR takes it all the same. On Windows that option would let two servers share the
        # port and fight over its clients: there SO_EXCLUSIVEADDRUSE keeps it ours.
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def accept(listener: socket.socket) -> tuple[socket.socket, tuple[str, int]]:
    """Wait for a client."""
    # MEND: on Windows a blocking accept() does not notice Ctrl-C. With a time limit it comes up for air.
    listener.settimeout(TICK)
    while True:
        try:
            return listener.accept()
        except TimeoutError:
            continue


def answer(client: socket.socket) -> None:
    """Answer every piece until the client has gone."""
    # MEND: a piece may end in the middle of a character, and piece.decode() would fail there. The decoder
    # keeps the half until its rest has come. Bytes that are no UTF-8 at all go back as they came: that is
    # `surrogateescape`.
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while True:
        # MEND: the same as in accept(), for Ctrl-C on Windows.
        client.settimeout(TICK)
        try:
            piece = client.recv(PIECE)
        except TimeoutError:
            continue
        text = decoder.decode(piece, final=not piece)
        if piece or text:
            print(f"received {text!r}", flush=True)
            # MEND: sendall(), because send() may take only a part; and no time limit to cut it in two.
            client.settimeout(None)
            client.sendall(f"server got: {text}".encode("utf-8", "surrogateescape"))
        if not piece:
            # MEND: b"" means that the client has closed. Without this the loop would receive b"" for ever.
            return


def main() -> int:
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 12345
    try:
        with open_listener(address, port) as listener:
            address, port = listener.getsockname()
            print(f"listening on {address} port {port}", flush=True)
            client, (client_address, client_port) = accept(listener)
        # MEND: the listening socket is closed by now: a second client is refused, not left waiting.
        with client:
            print(f"client {client_address} port {client_port} has connected", flush=True)
            try:
                answer(client)
            except ConnectionError as error:
                # MEND: a client that crashes resets the connection, and that shows up here as an error.
                print(f"the client broke off: {error}", flush=True)
            else:
                print("the client has closed", flush=True)
        return 0
    except KeyboardInterrupt:
        print("ended by Ctrl-C", flush=True)
        return 0
    except OSError as error:
        print(f"{address} port {port}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
