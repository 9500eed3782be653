"""What programs that wirecat starts inherit."""

from __future__ import annotations

import pytest

from wirecat.secret import VARIABLES
from wirecat.system.child_environment import child_environment


def test_child_environment_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "me:c4n4ry")
    monkeypatch.setenv("KEPT", "yes")
    found = child_environment({"MORE": "too"})
    assert found["KEPT"] == "yes" and found["MORE"] == "too"
    assert "c4n4ry" not in str(found)
