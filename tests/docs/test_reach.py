"""The page about reaching a server names what the program prints, in both languages, and its picture is one."""

from __future__ import annotations

import json
import re

import pytest

from peers import PROJECT
from reach.lab.home import PORT, Home
from wirecat.cli.reach import _parser
from wirecat.wire.xml_tree import read_xml

PAGE = (PROJECT / "docs" / "reach.md").read_text(encoding="utf-8")


def test_every_check_is_there() -> None:
    table = PAGE.partition("## The checks")[2].partition("\n\n")[0]
    documented = set(
        re.findall(r"`([a-z0-9-]+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    )
    with Home("cgnat") as home, home.server.listen(PORT, "::"):
        printed = json.loads(home.server.wirecat("reach", str(PORT), "--json", "--probe-path").stdout)
    assert {check["name"] for check in printed["checks"]} == documented


def test_every_option_is_there() -> None:
    options = {option for action in _parser()._actions for option in action.option_strings if option.startswith("--")}
    assert {option for option in options if option not in PAGE} <= {"--help", "--verbose", "--quiet"}


def test_both_languages_answer_the_question() -> None:
    english, german = PAGE.split("# Erreichbarkeit")
    assert "Neither is always\nenough" in english
    assert "Beides genügt\nnicht immer" in german
    for text in (english, german):
        assert "wirecat expose" in text
        assert "--serve-peer" in text


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("reach.svg", ("your server", "firewall", "Wi-Fi", "router", "provider")),
        ("reach-de.svg", ("dein Server", "Firewall", "WLAN", "Router", "Anbieter")),
    ],
)
def test_the_picture_is_one(name: str, steps: tuple[str, ...]) -> None:
    assert f"]({name})" in PAGE
    picture = read_xml((PROJECT / "docs" / name).read_bytes())
    words = " ".join(element.text for element in picture.walk() if element.name == "text")
    for step in steps:
        assert step in words
