"""Tests of how a proxy's place is read. (The conversations: tests/compat/ncat/test_proxies.py.)"""

from __future__ import annotations

import pytest

from wirecat.cli.ncat.endings import Ending
from wirecat.cli.ncat.proxy_client import split_proxy


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("host", "host", 3128),
        ("host:80", "host", 80),
        ("host:", "host", 3128),
        ("[::1]:80", "::1", 80),
        ("[::1]", "::1", 3128),
        ("::1", "::1", 3128),
    ],
)
def test_places(text: str, host: str, port: int) -> None:
    assert split_proxy(text, 3128) == (host, port)


@pytest.mark.parametrize("text", ["host:x", "host:0", "host:65536", "[::1]:x"])
def test_ports_that_are_none(text: str) -> None:
    with pytest.raises(Ending):
        split_proxy(text, 3128)
