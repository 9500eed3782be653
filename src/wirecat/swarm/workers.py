"""A swarm in several processes: starts the workers, lets their clients begin at one moment, and adds up what they saw.

The workers' clients have the numbers and the times that they would have in one process. A worker that dies is told,
and the others go on. Ctrl-C is for this process alone: it asks the workers to stop, and has their counts so far. A
worker whose starter has gone sees the end of its input, and stops.
"""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from time import monotonic, perf_counter_ns

from wirecat.errors import UsageError
from wirecat.swarm.outcome import Outcome
from wirecat.swarm.progress import PHASES, SwarmProgress
from wirecat.swarm.tally import Tally
from wirecat.swarm.worker import VERSION
from wirecat.system.process_end import process_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from wirecat.endpoints.resolve import Candidate
    from wirecat.swarm.crowd import Watcher
    from wirecat.swarm.options import SwarmOptions
    from wirecat.taps.named import NamedTap

#: The whole of what a worker is told on its command line; where to find wirecat comes with its first line.
_START = (
    "import json, os\n"
    "line = b''\n"
    "while not line.endswith(b'\\n'): line += os.read(0, 1) or b'[]\\n'\n"
    "import sys; sys.path[:] = json.loads(line)\n"
    "from wirecat.swarm.worker import main; main()"
)
# A wait for a queue can't be interrupted by Ctrl-C on Windows, so it is cut into slices; elsewhere it is woken for the
# grace of a stop.
_SLICE = 0.2
#: Seconds between two tellings of progress.
_TELLING = 0.2
#: Seconds that a worker gets to end when it was asked to stop; closing takes it two at most.
GRACE = 5.0


class _Worker:
    """One process. ``outcome`` and ``fault`` are what it told at its end; ``gone``: it has told all that it will."""

    def __init__(
        self,
        index: int,
        numbers: range,
        task: bytes,
        first: socket.socket | None,
        events: Any,
        on_trouble: Callable[[str], object] | None,
    ) -> None:
        self.numbers = numbers
        self._on_trouble = on_trouble
        self.connected = False
        self.gone = False
        self.outcome: Outcome | None = None
        self.fault: str | None = None
        self.progress: dict[str, Any] | None = None
        self._last_words = ""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self.process = _spawn(self._said, first)
        except BaseException:
            self._said.close()
            raise
        self._reader = threading.Thread(
            target=self._read, args=(index, events), name=f"wirecat-swarm-worker-{index + 1}", daemon=True
        )
        self._reader.start()
        self.write(task)

    def _read(self, index: int, events: Any) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                events.put((index, line))
        events.put((index, None))

    def write(self, data: bytes) -> None:
        """Tell it something, if it is still there to be told."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except OSError:
            return  # it has died, which its reader tells

    def take(self, line: bytes | None) -> None:
        """What it said; None is the end of that."""
        if line is None:
            self.gone = True
            return
        message = json.loads(line)
        self.progress = message.get("progress", self.progress)
        self.connected = self.connected or "connected" in message
        self.fault = message.get("fault", self.fault)
        if "trouble" in message and self._on_trouble is not None:
            self._on_trouble(message["trouble"])
        if "outcome" in message:
            self.outcome = Outcome.from_json(message["outcome"])

    def end(self) -> None:
        """See it to its end: by force if it still runs. Nothing of it is left then."""
        if not self.gone:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except OSError:
            pass  # it died with something unread, and its reader has told so
        self._said.seek(0)
        self._last_words = self._said.read().decode(errors="backslashreplace").strip().rpartition("\n")[2]
        self._said.close()

    def why(self) -> str:
        """How it died; after ``end``."""
        code = self.process.returncode
        clients = (
            f"clients {self.numbers[0]} to {self.numbers[-1]}" if len(self.numbers) > 1 else f"client {self.numbers[0]}"
        )
        why = f": {self._last_words}" if self._last_words and code >= 0 else ""
        return f"the process of {clients} {process_end(code)}{why}"


def run_workers(
    options: SwarmOptions,
    candidates: list[Candidate],
    *,
    first: socket.socket | None,
    progress: Watcher | None,
    tap: NamedTap | None = None,
) -> tuple[Outcome, tuple[str, ...]]:
    """Run it all; what was counted, and a text for each worker that died. ``first`` is a connected socket or None; each
    worker makes itself a ``tap``.

    Ctrl-C ends the workers and gives what they counted so far; a second one raises KeyboardInterrupt. Raises UsageError
    (no Python to start workers with), OSError (a process could not be started), RuntimeError (a fault in a worker), and
    what ``progress`` raises; no process is left in any case.
    """
    if not sys.executable:
        raise UsageError("workers need a Python to run with, and this program does not know its own", step="swarm")
    events: queue.SimpleQueue[tuple[int, bytes | None]] = queue.SimpleQueue()
    herd: list[_Worker] = []
    try:
        for index in range(options.workers):
            numbers = _share(options.clients, options.workers, index)
            given = first if index == 0 and sys.platform != "win32" else None
            task = _task(options, candidates, numbers, given, None if tap is None else tap.task(index + 1))
            herd.append(_Worker(index, numbers, task, given, events, None if tap is None else tap.on_trouble))
        if first is not None:
            first.close()
        interrupted = _Supervision(herd, events, progress).run()
    finally:
        for worker in herd:
            worker.end()
    total = Outcome(Tally())
    total.interrupted = interrupted
    lost = []
    for worker in herd:
        if worker.outcome is not None:
            total.add(worker.outcome)
        elif worker.fault is not None:
            raise RuntimeError(f"a fault in a worker: {worker.fault}")
        else:
            lost.append(worker.why())
            total.tally.fail("worker_died", len(worker.numbers))
    return total, tuple(lost)


class _Supervision:
    """What goes on between start and end: everybody waits for the last to be connected, and progress is told."""

    def __init__(self, herd: list[_Worker], events: queue.SimpleQueue[Any], progress: Watcher | None) -> None:
        self._herd = herd
        self._events = events
        self._progress = progress
        self._phase = 0
        self._told_at = 0.0
        self._going = False

    def run(self) -> bool:
        """To the end of all workers; whether Ctrl-C came."""
        stopped_at = 0.0
        while not all(worker.gone for worker in self._herd):
            try:
                self._step()
            except KeyboardInterrupt:
                if stopped_at:
                    raise
                stopped_at = monotonic()
                for worker in self._herd:
                    worker.write(b'{"stop": true}\n')
            if stopped_at and monotonic() - stopped_at > GRACE:
                break
        return bool(stopped_at)

    def _step(self) -> None:
        try:
            index, line = self._events.get(timeout=_SLICE)
        except queue.Empty:
            return
        self._herd[index].take(line)
        if not self._going and all(worker.connected or worker.gone for worker in self._herd):
            self._going = True
            if not self._is_in("knocking"):
                self._tell(PHASES.index("connected"))
            go = b'{"go": %d}\n' % perf_counter_ns()
            for worker in self._herd:
                worker.write(go)
        self._tell(self._common_phase())

    def _is_in(self, phase: str) -> bool:
        return any(worker.progress is not None and worker.progress["phase"] == phase for worker in self._herd)

    def _common_phase(self) -> int:
        """That of the worker that is least far."""
        if not self._going:  # some may be connected, and wait for the others
            return PHASES.index("connecting")
        phases = [
            PHASES.index(worker.progress["phase"])
            for worker in self._herd
            if worker.progress is not None and not worker.gone
        ]
        # They were let go, whether they have said so by now or not.
        return max(PHASES.index("talking"), min(phases, default=self._phase))

    def _tell(self, phase: int) -> None:
        """Tell how far all are, at each change of phase and now and then."""
        seen = [worker.progress for worker in self._herd if worker.progress is not None]
        now = monotonic()
        if self._progress is None or not seen or (phase <= self._phase and now - self._told_at < _TELLING):
            return
        if PHASES[phase] in ("connected", "closing") and self._phase >= phase:
            return  # told once
        self._told_at, self._phase = now, max(phase, self._phase)
        total = {name: sum(each[name] for each in seen) for name in SwarmProgress.field_names() if name != "phase"}
        total["seconds"] = max(each["seconds"] for each in seen)
        self._progress(SwarmProgress(phase=PHASES[self._phase], **total))


def _share(clients: int, workers: int, index: int) -> range:
    """The numbers of a worker's clients: the parts differ by one at most."""
    return range(1 + clients * index // workers, 1 + clients * (index + 1) // workers)


def _task(
    options: SwarmOptions,
    candidates: list[Candidate],
    numbers: range,
    first: socket.socket | None,
    tap: dict[str, Any] | None,
) -> bytes:
    """What a worker is told first."""
    fields = options.fields()
    payload = fields.pop("payload")
    task = {
        "v": VERSION, "options": fields, "payload": None if payload is None else len(payload),
        "candidates": [(int(family), list(place)) for family, place in candidates],
        "numbers": [numbers.start, numbers.stop], "first": None if first is None else first.fileno(),
        "tap": tap,
    }  # fmt: skip
    return b"%s\n%s\n%s" % (json.dumps(sys.path).encode(), json.dumps(task).encode(), payload or b"")


def _spawn(said: Any, first: socket.socket | None) -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C does not reach: the terminal sends it to every process, and it is for us alone."""
    command = [sys.executable, *(["-I"] if sys.flags.isolated else []), "-c", _START]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": said}
    if sys.platform == "win32":
        return subprocess.Popen(command, creationflags=subprocess.CREATE_NEW_PROCESS_GROUP, **pipes)
    # A child inherits which signals are blocked.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(command, pass_fds=() if first is None else (first.fileno(),), **pipes)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
