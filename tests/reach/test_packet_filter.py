"""The ways of a packet through chains, certain and uncertain ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.reach.packet_filter import ACCEPT, DROP, GOTO, JUMP, REJECT, RETURN, STRANGE, BaseChain, Rule, decide

INPUT = BaseChain("t", "input", 0, DROP)
OPEN = BaseChain("t", "input", 0, ACCEPT)


def state(base: BaseChain, **chains: list[Rule]) -> str:
    return decide([base], {("t", name): rules for name, rules in chains.items()}).state


def rule(matches: bool | None, action: str, target: str = "") -> Rule:
    return Rule(matches, action, f"{action} {target}", target)


@pytest.mark.parametrize(
    ("base", "chains", "expected"),
    [
        (OPEN, {"input": []}, "ok"),
        (INPUT, {"input": []}, "blocked"),
        (INPUT, {"input": [rule(True, ACCEPT)]}, "ok"),
        (INPUT, {"input": [rule(None, ACCEPT)]}, "unknown"),
        (INPUT, {"input": [rule(None, DROP)]}, "blocked"),
        (OPEN, {"input": [rule(None, ACCEPT)]}, "ok"),
        (OPEN, {"input": [rule(None, REJECT)]}, "unknown"),
        (OPEN, {"input": [rule(True, ACCEPT), rule(True, DROP)]}, "ok"),
        (OPEN, {"input": [rule(False, DROP)]}, "ok"),
        (INPUT, {"input": [rule(True, JUMP, "s")], "s": [rule(True, ACCEPT)]}, "ok"),
        (INPUT, {"input": [rule(None, JUMP, "s")], "s": [rule(True, ACCEPT)]}, "unknown"),
        (INPUT, {"input": [rule(True, JUMP, "s"), rule(True, ACCEPT)], "s": [rule(True, RETURN), rule(True, DROP)]}, "ok"),
        (INPUT, {"input": [rule(True, GOTO, "s"), rule(True, ACCEPT)], "s": []}, "blocked"),
        (OPEN, {"input": [rule(True, JUMP, "s"), rule(True, REJECT)], "s": [rule(None, ACCEPT)]}, "unknown"),
        (OPEN, {"input": [rule(True, STRANGE)]}, "unknown"),
        (OPEN, {"input": [rule(True, JUMP, "nowhere")]}, "unknown"),
        (OPEN, {"input": [rule(True, JUMP, "input")]}, "unknown"),
    ],
)  # fmt: skip
def test_ways(base: BaseChain, chains: dict[str, list[Rule]], expected: str) -> None:
    assert state(base, **chains) == expected


def test_what_one_chain_accepts_another_may_drop() -> None:
    bases = [BaseChain("t", "second", 10, DROP), BaseChain("t", "first", 0, ACCEPT)]
    answer = decide(bases, {("t", "first"): [rule(True, ACCEPT)], ("t", "second"): []})
    assert (answer.state, answer.how, answer.rule) == ("blocked", DROP, "policy drop of chain second in table t")
    assert answer.chain is bases[0]


rules = some.builds(rule, some.sampled_from([True, False, None]), some.sampled_from([ACCEPT, DROP, REJECT, RETURN]))


def truth(base: BaseChain, listed: list[Rule]) -> set[bool]:
    """Whether the packet gets in, in each of the cases that the uncertain rules may be in."""
    ways = [[]]
    for each in listed:
        ways = [[*way, hit] for way in ways for hit in ([each.matches] if each.matches is not None else [True, False])]
    ends = set()
    for way in ways:
        action = next((each.action for each, hit in zip(listed, way, strict=True) if hit), RETURN)
        ends.add((base.policy if action == RETURN else action) == ACCEPT)
    return ends


@given(some.sampled_from([INPUT, OPEN]), some.lists(rules, max_size=6))
def test_the_answer_is_what_all_cases_say(base: BaseChain, listed: list[Rule]) -> None:
    ends = truth(base, listed)
    expected = "unknown" if len(ends) == 2 else "ok" if ends == {True} else "blocked"
    assert state(base, input=listed) == expected
