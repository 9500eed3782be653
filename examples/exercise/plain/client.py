#!/usr/bin/env python3
"""The exercise's client: ask for a line, send it, fetch the reply, print it, and again.

    python3 client.py [ADDRESS [PORT]]        (127.0.0.1 12345 unless told otherwise)

The line is sent as it is, with no newline. An empty line ends the client unsent; `quit` is sent, answered,
and ends it too. Exit code 1 when there is no connection, or when it breaks off.
"""

from __future__ import annotations

import codecs
import socket
import sys

FIRST_BYTE = 10.0  # seconds that the server may think
SILENCE = 0.2  # seconds with nothing more to come: then the reply is taken to be whole


def printable(text: str) -> str:
    """Show what would steer the terminal (clear it, change its title) as \\x1b and so on."""
    # MEND: print() gives a server's bytes to the terminal as they are.
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def fetch_reply(connection: socket.socket) -> str | None:
    """Wait for a reply and return it; None when the server has closed the connection instead."""
    # MEND: one recv(1024) fetches what happens to be there, not the reply: a long one comes in pieces, and
    # the rest of it would be taken for the reply to the next line. Nothing marks a reply's end: only silence
    # tells.
    # MEND: a piece may end in the middle of a character, and piece.decode() would fail there. The decoder
    # keeps the half until its rest has come. Bytes that are no UTF-8 at all are shown as \xfc and so on.
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    text = ""
    connection.settimeout(FIRST_BYTE)
    while True:
        try:
            piece = connection.recv(1024)
        except TimeoutError:
            break
        if not piece:
            # MEND: b"" is not an empty reply, it is the end: going on would loop for ever.
            if not text:
                return None
            break
        text += decoder.decode(piece)
        connection.settimeout(SILENCE)
    return text + decoder.decode(b"", final=True)


def talk(connection: socket.socket) -> int:
    """Ask, send, fetch and print until one side has enough; return the exit code."""
    while True:
        try:
            line = input("Input: ")
        except EOFError:
            return 0
        if not line:
            return 0
        # MEND: send() may take only the first part of a long line, and says so only in its result; sendall()
        # sends it all. The time limit is for the sending as a whole.
        connection.settimeout(FIRST_BYTE)
        connection.sendall(line.encode("utf-8", "surrogateescape"))
        reply = fetch_reply(connection)
        if reply is None:
            print("The server has closed the connection.")
            return 1
        print("Response from server:", printable(reply) or "(none came)")
        if line == "quit":
            return 0


def main() -> int:
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 12345
    try:
        # MEND: the time limit also means that Ctrl-C is noticed on Windows, where a blocking call does not
        # see it. `with` closes the socket however the block ends.
        with socket.create_connection((address, port), timeout=10) as connection:
            print(f"Connected to {address} port {port}. An empty line ends it, so does quit.")
            return talk(connection)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"{address} port {port}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
