"""A worker of a swarm: a process that drives its part of the clients, and talks to the one that started it.

What comes in on standard input: a line with what to do, then the bytes of the payload where there is one, then lines:
``{"go": NANOSECONDS}`` lets the clients begin, ``{"stop": true}`` or the end of the input ends them. What goes out on
standard output, one JSON object a line: ``{"progress": …}``, ``{"connected": true}`` once, and at the end
``{"outcome": …}`` or ``{"fault": TEXT}``. The form is versioned: ``v`` in the first line is 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading

from wirecat.swarm.connects import Knockers
from wirecat.swarm.crowd import Crowd
from wirecat.swarm.options import SwarmOptions
from wirecat.system.loops import loop_factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from wirecat.swarm.outcome import Outcome
    from wirecat.swarm.progress import SwarmProgress
    from wirecat.taps.tap import Tap

VERSION = 1
_TELLING = threading.Lock()  # a message is written whole, whichever thread tells it


def main() -> None:
    """Be a worker, to the end. What goes wrong is told to the one that started it."""
    # Unbuffered and without a lock: a thread still reads from it when the process ends.
    commands = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115
    try:
        outcome = _run(json.loads(commands.readline()), commands)
    except Exception as error:
        _tell({"fault": f"{type(error).__name__}: {error}"})
        raise SystemExit(1) from error
    _tell({"outcome": outcome.as_json()})


def _run(task: dict[str, Any], commands: BinaryIO) -> Outcome:
    if task["v"] != VERSION:
        raise ValueError(f"version {task['v']} of the channel to workers, not {VERSION}")
    payload = None
    if task["payload"] is not None:
        payload = _exactly(commands, task["payload"])
    options = SwarmOptions(**task["options"], payload=payload)
    candidates = [(family, tuple(place)) for family, place in task["candidates"]]
    first = None if task["first"] is None else socket.socket(fileno=task["first"])
    tap = None
    if task.get("tap") is not None:
        from wirecat.taps.named import make_named

        tap = make_named(task["tap"])
        tap.report_to(_tell_trouble)
    try:
        return _drive(options, candidates, range(*task["numbers"]), first, commands, tap)
    finally:
        if tap is not None:
            tap.close()


def _drive(
    options: SwarmOptions,
    candidates: list[Any],
    numbers: range,
    first: socket.socket | None,
    commands: BinaryIO,
    tap: Tap | None,
) -> Outcome:
    async def life() -> Outcome:
        loop = asyncio.get_running_loop()
        go: asyncio.Future[int] = loop.create_future()

        async def gate() -> int:
            _tell({"connected": True})
            return await go

        def obey(command: dict[str, Any] | None) -> None:
            if command is None or "stop" in command:
                running.cancel()
            elif not go.done():
                go.set_result(command["go"])

        crowd: Crowd | Knockers
        if options.connects:
            crowd = Knockers(options, candidates, numbers=numbers, gate=gate, progress=_tell_progress)
        else:
            crowd = Crowd(options, candidates, numbers=numbers, gate=gate, progress=_tell_progress, tap=tap)
        running = asyncio.ensure_future(crowd.run(first))
        listening = threading.Thread(target=_listen, args=(commands, loop, obey), daemon=True)
        listening.start()
        return await running

    with asyncio.Runner(loop_factory=loop_factory() or asyncio.new_event_loop) as runner:
        return runner.run(life())


def _listen(commands: BinaryIO, loop: asyncio.AbstractEventLoop, obey: Any) -> None:
    """Hand on each command, and the end of them, in a thread of its own."""
    try:
        while line := commands.readline():
            loop.call_soon_threadsafe(obey, json.loads(line))
        loop.call_soon_threadsafe(obey, None)
    except RuntimeError:
        return  # the loop is over, and there is nobody to obey any more


def _exactly(stream: BinaryIO, count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count:
        piece = stream.read(count - len(pieces))
        if not piece:
            raise EOFError("the payload was cut short")
        pieces += piece
    return bytes(pieces)


def _tell_progress(progress: SwarmProgress) -> None:
    _tell({"progress": progress.fields()})


def _tell_trouble(text: str) -> None:
    _tell({"trouble": text})


def _tell(message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    view = memoryview(data)
    with _TELLING:
        while view:
            view = view[os.write(1, view) :]
