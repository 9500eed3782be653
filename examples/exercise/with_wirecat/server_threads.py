#!/usr/bin/env python3
"""The exercise's multithreaded server with wirecat: a thread for each client, who came and what each said.

As a command: wirecat serve reply:'You told me: {data}' 12345
"""

from __future__ import annotations

import sys

import wirecat


def handler(connection: wirecat.Connection) -> None:
    print(f"{connection.peer} connected", flush=True)
    while (data := connection.receive()) is not None:
        print(f"{connection.peer} said: {data!r}", flush=True)
        connection.send(b"You told me: " + data)
    print(f"{connection.peer} has gone", flush=True)


def main(host: str = "127.0.0.1", port: str = "12345") -> None:
    try:
        with wirecat.serve(handler, f"{host}:{port}") as server:
            print(f"listening on {server.address}", flush=True)
            while not server.wait(0.5):  # in short waits, so that Ctrl-C works on Windows too
                pass
    except KeyboardInterrupt:
        print("Stopped.")


if __name__ == "__main__":
    main(*sys.argv[1:])
