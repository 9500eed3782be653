#!/usr/bin/env python3
"""The exercise's many clients with wirecat: all connected at once, every reply checked.

As a command: wirecat swarm 12345 --clients 50 --newline none --expect 'You told me: {data}'
"""

from __future__ import annotations

import sys

import wirecat


def main(host: str = "127.0.0.1", port: str = "12345", clients: str = "50") -> int:
    result = wirecat.swarm(f"{host}:{port}", int(clients), newline="none", expect="You told me: {data}")
    print(f"{result.connected} connected, {result.replies_ok} replies right, {result.replies_wrong} wrong")
    print(f"errors: {result.errors or 'none'}")
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
