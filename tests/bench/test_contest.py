"""What the figures of the benchmarks rest on: turns, medians, ratios, and that nothing is left out in silence."""

from __future__ import annotations

import sys

import pytest

from peers import PROJECT

sys.path.insert(0, str(PROJECT))
try:
    from bench.chart import draw, figure
    from bench.contest import Group, Outcome, Row, Sample, Skipped, compete
    from bench.page import write
    from bench.targets import TARGETS
finally:
    sys.path.remove(str(PROJECT))


def outcome(**changes: object) -> Outcome:
    rows = [
        Row("wirecat", [30.0, 20.0, 80.0], {"cost": [1.0, 2.0, 4.0]}),
        Row("other", [10.0, 10.0, 20.0], {"cost": [2.0, 2.0, 2.0]}),
    ]
    fields = {
        "name": "echo", "title": "Echo & <more>", "about": "How.", "unit": "a second", "better": "more",
        "groups": [Group("50 clients", [*rows, Row("absent", why="absent is not installed")])],
    }  # fmt: skip
    return Outcome(**{**fields, **changes})


def test_everybody_has_a_turn_in_every_round_and_is_first_in_one() -> None:
    order: list[str] = []

    def measure(name: str):
        return lambda: order.append(name) or Sample(1.0)

    compete("group", [(name, measure(name)) for name in "abc"], 3)
    assert order == list("abcbcacab")


def test_what_cannot_be_measured_is_named_and_costs_the_others_nothing() -> None:
    def absent() -> Sample:
        raise Skipped("it is not installed")

    def broken() -> Sample:
        raise OSError("it broke")

    group = compete("group", [("a", absent), ("b", broken), ("c", lambda: Sample(2.0, {"x": 3.0}))], 2)
    assert [row.why for row in group.rows] == ["it is not installed", "failed: OSError: it broke", ""]
    assert group.rows[2].values == [2.0, 2.0] and group.rows[2].more == {"x": [3.0, 3.0]}


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    assert outcome().ratio("50 clients", "wirecat", "other") == 3.0
    assert outcome().ratio("50 clients", "wirecat", "other", column="cost") == 1.0
    assert outcome().ratio("50 clients", "wirecat", "absent") is None
    assert outcome().ratio("nowhere", "wirecat", "other") is None


def test_json_carries_all_of_it() -> None:
    assert Outcome.from_json(outcome().as_json()) == outcome()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (1.5, "1.5"),
        (99.95, "100"),
        (123.4, "123"),
        (143_567, "144,000"),
        (-1234, "-1,230"),
    ],
)
def test_figures(value: float, text: str) -> None:
    assert figure(value) == text


def test_the_chart() -> None:
    import xml.etree.ElementTree as tree

    root = tree.fromstring(draw(outcome()))
    bars = [element for element in root.iter() if element.tag.endswith("rect")]
    assert len(bars) == 2 and bars[0].get("class") == "bar own"
    assert float(bars[0].get("width")) == pytest.approx(3 * float(bars[1].get("width")), abs=0.1)
    assert "absent is not installed" in "".join(root.itertext())


def test_the_page(tmp_path) -> None:
    page = write(tmp_path, {"echo": outcome()}).read_text(encoding="utf-8")
    assert "| wirecat | 30 | 20 – 80 | 2 |" in page
    assert "- absent (50 clients) is left out: absent is not installed." in page
    assert (tmp_path / "benchmarks" / "echo.svg").exists()
    assert page.count("not measured") == len(TARGETS)


def test_targets_are_told_as_reached_or_by_how_much_not(tmp_path) -> None:
    rows = [Row("wirecat, event loop", [60.0]), Row("C, epoll", [100.0])]
    page = write(tmp_path, {"echo": outcome(groups=[Group("50 clients", rows)])}).read_text(encoding="utf-8")
    assert "≥ 0.75 | 0.6 | **not reached**, by 20% |" in page
    assert "no reason is known yet" in page
    rows[0].values = [90.0]
    page = write(tmp_path, {"echo": outcome(groups=[Group("50 clients", rows)])}).read_text(encoding="utf-8")
    assert "≥ 0.75 | 0.9 | reached |" in page
