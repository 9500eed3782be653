"""``python -m bench [--quick] [--only NAME …] [--output FOLDER]``: run the benchmarks, write the page.

What a benchmark found is kept beside the charts as JSON, so that a page can be made of several runs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
import time
from pathlib import Path

from bench import page
from bench.contest import Outcome, Skipped
from bench.machine import describe
from bench.programs import BUILD, PROJECT, yardstick
from bench.settings import FULL, QUICK

#: In the order of the page.
NAMES = ("bulk", "relay", "echo", "connects", "memory", "swarm", "worker_loss", "startup", "start_race", "sockets")


def raise_descriptor_limit() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short round of everything")
    parser.add_argument("--only", nargs="*", default=[], choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, help="how often each contestant has its turn (5)")
    parser.add_argument("--output", type=Path, help="the folder of the page (docs; build/bench for a quick run)")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page again")
    options = parser.parse_args()
    settings = QUICK if options.quick else FULL
    if options.rounds:
        settings = type(settings)(**{**vars(settings), "rounds": options.rounds})
    folder = options.output or (BUILD if options.quick else PROJECT / "docs")
    results = folder / "benchmarks"
    results.mkdir(parents=True, exist_ok=True)
    raise_descriptor_limit()
    if not options.page:
        machine = describe()
        for name in ("echo", "load", "bulk"):
            with contextlib.suppress(Skipped):  # each benchmark says by itself what it goes without
                yardstick(name)
        for name in options.only or NAMES:
            print(f"{name} …", file=sys.stderr, flush=True)
            begun = time.monotonic()
            outcome = importlib.import_module(f"bench.benchmarks.{name}").run(settings)
            outcome.quick, outcome.machine = settings.quick, machine
            (results / f"{name}.json").write_text(json.dumps(outcome.as_json(), indent=1) + "\n", encoding="utf-8")
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    outcomes = {
        name: Outcome.from_json(json.loads((results / f"{name}.json").read_text(encoding="utf-8")))
        for name in NAMES
        if (results / f"{name}.json").exists()
    }
    print(page.write(folder, outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
