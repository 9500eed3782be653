"""Tests of what the operands mean. (Which options go together: tests/compat/ncat/test_wrong_use.py.)"""

from __future__ import annotations

import io

import pytest

from wirecat.cli.environment import Environment
from wirecat.cli.ncat.checks import check
from wirecat.cli.ncat.endings import Ending
from wirecat.cli.ncat.messages import Voice
from wirecat.cli.ncat.settings import read


def judged(*arguments: str) -> tuple[str, int, str]:
    voice = Voice(Environment(io.StringIO(), io.StringIO(), io.StringIO(), {}))
    operands = check(read(list(arguments), lambda option: None), voice)
    return operands.host, operands.port, operands.path


@pytest.mark.parametrize(
    ("arguments", "host", "port"),
    [
        ("host", "host", 31337),
        ("host 80", "host", 80),
        ("-l", "", 31337),
        ("-l 80", "", 80),
        ("-l host", "host", 31337),
        ("-l host 80", "host", 80),
        ("-l -p 80", "", 80),
        ("-l -p 80 host", "host", 80),
        ("--broker", "", 31337),
        ("-l --proxy-type http", "", 3128),
        ("-l --proxy-type http 80", "", 80),
        ("--vsock 2 4000000000", "2", 4000000000),
        ("-l --vsock 1234", "", 1234),
        ("-l --vsock 2 1234", "2", 1234),
    ],
)
def test_hosts_and_ports(arguments: str, host: str, port: int) -> None:
    assert judged(*arguments.split()) == (host, port, "")


@pytest.mark.parametrize("arguments", ["-U /x", "-l -U /x", "-uU /x"])
def test_paths(arguments: str) -> None:
    assert judged(*arguments.split())[2] == "/x"


@pytest.mark.parametrize("arguments", ["", "-l 65536", "host 1 2", "-U", "--chat", "-l -z", "-e a -c b host"])
def test_what_cannot_be(arguments: str) -> None:
    with pytest.raises(Ending):
        judged(*arguments.split())
