"""The verb's function: every format from a file, and options that do not go together told before anything is read."""

from __future__ import annotations

import json
import xml.etree.ElementTree as tree
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording.made import Maker
from wirecat.app.report import FORMATS, report
from wirecat.errors import UsageError
from wirecat.views.report.pictures import PICTURES


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    maker = Maker()
    for number in range(1, 4):
        maker.talk(number)
    return maker.write(tmp_path_factory.mktemp("report") / "talk.pcapng")


def test_a_page(recording: Path) -> None:
    page = report(recording, author="Anna Muster", title="Three talks", language="de", utc=True).decode()
    assert "<h1>Three talks</h1>" in page
    assert "Anna Muster" in page
    assert "14. November 2023, 22:13:20 UTC" in page


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture(recording: Path, picture: str) -> None:
    root = tree.fromstring(report(recording, format="svg", picture=picture, width=500, theme="dark").decode())
    assert root.attrib["width"] == "500"


def test_markdown_and_json(recording: Path) -> None:
    assert report(recording, format="md").startswith(b"# 3 connections to 127.0.0.1:80\n")
    assert len(json.loads(report(recording, format="json"))["connections"]) == 3
    assert set(json.loads(report(recording, format="json", picture="latency"))) == {"v", "latency_us"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"format": "pdf"}, f"There are: {', '.join(FORMATS)}"),
        ({"format": "svg"}, "holds one picture. Add --picture with one of terminal, sequence"),
        ({"format": "png"}, "holds one picture"),
        ({"format": "html", "picture": "bytes"}, "a page has all pictures"),
        ({"format": "svg", "picture": "cat"}, "there is no picture 'cat'"),
        ({"language": "fr"}, "There are: en, de"),
        ({"theme": "pink"}, "There are: light, dark"),
        ({"format": "svg", "picture": "bytes", "width": 10}, "300 to 4000 pixels wide, not 10"),
    ],
)
def test_what_does_not_go_together(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        report("not even looked for", **options)
    assert says in str(caught.value)


def test_what_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"no recording")
    with pytest.raises(UsageError):
        report(path)
    with pytest.raises(UsageError):
        report(tmp_path / "nothing")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damaged_recordings_have_a_report(data: st.DataObject, recording: Path) -> None:
    whole = bytearray(recording.read_bytes()[:40_000])
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = recording.with_name("damaged.pcapng")
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        page = report(path, utc=True)
    except UsageError:
        return  # nothing of it could be read
    assert page.endswith(b"</html>\n")
