"""The default limit of connections, and what is said of it."""

from __future__ import annotations

import pytest

from wirecat.server import capacity
from wirecat.server.capacity import RESERVED, UNKNOWN, asked_for, capacity_of_workers, default_capacity


def allow(monkeypatch: pytest.MonkeyPatch, descriptors: int | None, threads: tuple[int, str] | None) -> None:
    monkeypatch.setattr(capacity, "descriptor_limit", lambda: descriptors)
    monkeypatch.setattr(capacity, "thread_limit", lambda: threads)


def test_open_files_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 1024, (30_000, "kernel.threads-max"))
    for engine in ("threads", "async"):
        assert default_capacity(engine) == (1024 - RESERVED, "1024 open files are allowed")


def test_threads_set_it_where_each_client_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 1_048_576, (30_000, "kernel.threads-max"))
    assert default_capacity("threads") == (30_000 - RESERVED, "30000 threads are allowed: kernel.threads-max")
    # A limit that is none to speak of stays one: tables of that size help nobody.
    assert default_capacity("async")[0] <= 1_048_576


@pytest.mark.parametrize(("allowed", "limit"), [(1, 1), (2, 1), (40, 20), (100, 50), (128, 64), (200, 136)])
def test_where_little_is_allowed_some_are_let_in(monkeypatch: pytest.MonkeyPatch, allowed: int, limit: int) -> None:
    allow(monkeypatch, allowed, None)
    assert default_capacity("async") == (limit, f"{allowed} open files are allowed")


def test_without_any_known_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, None, None)
    assert default_capacity("threads") == (UNKNOWN, "no limit of this machine")
    assert default_capacity("async")[0] > 100_000


def test_what_was_asked_for_holds_and_too_much_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 1024, (30_000, "kernel.threads-max"))
    assert asked_for(5, "threads") == (5, "asked for")
    assert asked_for(2000, "threads") == (2000, "asked for, but 1024 open files are allowed")


def test_this_machine() -> None:
    for engine in ("threads", "async"):
        limit, reason = default_capacity(engine)
        assert limit >= 1 and reason


def test_workers_have_open_files_each_and_threads_together(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 1024, (30_000, "kernel.threads-max"))
    limit = 4 * (1024 - RESERVED)
    assert capacity_of_workers(4, None, "async") == (limit, "1024 open files are allowed in each of 4 processes")
    assert capacity_of_workers(4, None, "threads")[0] == limit
    allow(monkeypatch, 1_000_000, (30_000, "kernel.threads-max"))
    told = "30000 threads are allowed: kernel.threads-max"
    assert capacity_of_workers(4, None, "threads") == (30_000 - 4 * RESERVED, told)
    assert capacity_of_workers(4, 7, "threads") == (7, "asked for")
    allow(monkeypatch, None, None)
    assert capacity_of_workers(4, None, "async")[1] == "no limit of this machine"
    allow(monkeypatch, 1, (1, "x"))
    assert capacity_of_workers(4, None, "threads")[0] >= 1
