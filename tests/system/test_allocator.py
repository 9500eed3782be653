"""One heap for all threads: seen in the heaps that threads leave in the process' map."""

from __future__ import annotations

import subprocess
import sys

import pytest

from peers import environment
from wirecat.system.allocator import share_one_heap

PROGRAM = """
import sys, threading
from wirecat.system.allocator import share_one_heap
if "shared" in sys.argv:
    assert share_one_heap()
go = threading.Barrier(20)
def work():
    kept = [bytearray(20_000) for _ in range(10)]
    go.wait()
threads = [threading.Thread(target=work) for _ in range(19)]
for each in threads: each.start()
go.wait()
for each in threads: each.join()
# The heap of a thread is 64 MiB of addresses, most of them not yet to be used (malloc(3), arenas).
sizes = [[int(end, 16) for end in line.split()[0].split("-")] for line in open("/proc/self/maps") if "---p 00000000 00:00" in line]
print(sum(1 << 25 < high - low < 1 << 26 for low, high in sizes))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_threads_share_one_heap() -> None:
    def heaps(*words: str) -> int:
        command = [sys.executable, "-c", PROGRAM, *words]
        return int(subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout)

    assert heaps("shared") == 0 < heaps()


def test_elsewhere_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert not share_one_heap()
