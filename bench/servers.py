"""The echo servers that compete: what each is called, and the command that starts it."""

from __future__ import annotations

import sys

from bench.programs import PEERS, plain_wirecat, require_module, require_verb, wirecat, yardstick

LOOP = "wirecat, event loop"
PLAIN = "wirecat, event loop without uvloop"
THREADS = "wirecat, threads"
EPOLL = "C, epoll"
THREADING = "ThreadingTCPServer"
STREAMS = "asyncio streams"
FAST_STREAMS = "asyncio streams on uvloop"
BARE = "bare asyncio protocol on uvloop"

#: Those that give a thread to each client.
WITH_THREADS = (THREADS, THREADING)
ALL = (LOOP, PLAIN, BARE, FAST_STREAMS, STREAMS, THREADS, THREADING, EPOLL)


def command(who: str, port: int) -> list[str]:
    """Raises Skipped where it cannot be had here."""
    if who == EPOLL:
        return [yardstick("echo"), str(port)]
    if who in (LOOP, PLAIN, THREADS):
        require_verb("serve", "--engine")
        start = plain_wirecat if who == PLAIN else wirecat
        return start("serve", "echo", f"127.0.0.1:{port}", "--engine", "threads" if who == THREADS else "async")
    if who == THREADING:
        return [sys.executable, str(PEERS / "threading_server.py"), str(port)]
    kind = "protocol" if who == BARE else "streams"
    loop = "asyncio" if who == STREAMS else "uvloop"
    if loop == "uvloop":
        require_module("uvloop")
    return [sys.executable, str(PEERS / "asyncio_server.py"), str(port), kind, loop]
