"""How long somebody may hold up others."""

from __future__ import annotations

from wirecat.server.delay_budget import DelayBudget


def test_delays_add_up_until_the_budget_is_spent() -> None:
    budget = DelayBudget(0.2, 10)
    for start in (0.0, 1.0, 2.0):
        budget.begin(start)
        budget.end(start + 0.06)
    assert round(budget.left(3.0), 6) == 0.02
    budget.begin(3.0)
    assert round(budget.left(3.01), 6) == 0.01, "the one that is going on counts"
    assert budget.left(3.5) == 0
    budget.end(3.5)
    assert budget.left(3.5) == 0


def test_delays_count_until_they_are_as_old_as_the_window() -> None:
    budget = DelayBudget(0.2, 10)
    for start in (0.0, 5.0):
        budget.begin(start)
        budget.end(start + 0.1)
    assert round(budget.left(9.9), 6) == 0.0
    assert round(budget.left(10.2), 6) == 0.1
    assert not budget.is_untouched(15.0)
    assert budget.is_untouched(15.2)


def test_delays_that_overlap_count_once() -> None:
    budget = DelayBudget(0.2, 10)
    budget.begin(0.0)
    budget.begin(0.05)
    budget.end(0.1)
    assert round(budget.left(0.1), 6) == 0.1
    budget.end(0.15)
    assert round(budget.left(0.15), 6) == 0.05
