"""How long and how large everything is: the real run, and the short one that only shows that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """``rounds``: how often each contestant has its turn; ``seconds``: of one load; ``bulk``: bytes of one transfer;
    ``starts``: starts of a program in one turn, whose median counts."""

    quick: bool
    rounds: int
    seconds: float
    bulk: int
    clients: tuple[int, ...]
    idle_threads: int
    idle_loop: int
    sockets: int
    starts: int


FULL = Settings(
    quick=False, rounds=5, seconds=4.0, bulk=4 << 30, clients=(50, 1000, 10_000), idle_threads=1000, idle_loop=10_000,
    sockets=10_000, starts=11,
)  # fmt: skip
QUICK = Settings(
    quick=True, rounds=1, seconds=0.3, bulk=16 << 20, clients=(50,), idle_threads=50, idle_loop=200, sockets=200,
    starts=1,
)  # fmt: skip
