#!/usr/bin/env python3
"""The exercise's simple server with wirecat: one connection, pieces of at most 30 bytes, each answered.

As a command: wirecat serve --once --chunk 30 reply:'server got: {data}' 12345
"""

from __future__ import annotations

import sys

import wirecat


def main(host: str = "127.0.0.1", port: str = "12345") -> None:
    with wirecat.serve("reply:server got: {data}", f"{host}:{port}", once=True, chunk=30) as server:
        print(f"listening on {server.address}", flush=True)
        server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
