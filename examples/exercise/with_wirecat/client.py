#!/usr/bin/env python3
"""The exercise's client with wirecat: a line out, the reply printed, until an empty line or quit.

As a command: wirecat connect --ask --newline none 12345
"""

from __future__ import annotations

import sys

import wirecat


def main(host: str = "127.0.0.1", port: str = "12345") -> None:
    with wirecat.connect(f"{host}:{port}") as connection:
        while question := input("Input: "):
            connection.send(question.encode())
            reply = connection.receive_reply()  # whole, though nothing in the bytes marks its end
            if reply is None:
                print("The server has closed the connection.")
                return
            print(f"Response from server: {reply.decode(errors='backslashreplace')}")
            if question == "quit":
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
