"""What holds for every test: Ctrl-C reaches the programs under test, and missing peers are named."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from hypothesis import settings

from peers import PEERS, find_peer

#: What `make nightly` runs the property tests with. How long an example takes is nothing to fail for, there as elsewhere:
#: a busy machine is no fault.
settings.register_profile("patient", max_examples=50, deadline=None)
settings.load_profile("patient")
settings.register_profile("nightly", max_examples=100_000, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """Take back SIGINT where it came ignored, as it does under a shell's `&`, and SIGHUP, as under nohup(1).

    A child inherits that, and a Python that starts with SIGINT ignored installs no KeyboardInterrupt: the
    tests that press Ctrl-C would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    """Keep what is there by now out of each collection of garbage to come: many tests make one."""
    gc.collect()
    gc.freeze()


def pytest_report_header() -> list[str]:
    """Name the real peers that are missing, so that a skipped test is no surprise."""
    missing = [name for name in PEERS if find_peer(name) is None]
    if not missing:
        return ["real peers: all there"]
    what = "fail" if os.environ.get("WIRECAT_REQUIRE_PEERS") == "1" else "are skipped"
    return [f"real peers missing: {', '.join(missing)}; the tests that need one {what}"]
