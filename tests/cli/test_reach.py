"""The command ``wirecat reach`` in a network of its own: the output, the exit codes, and wrong use."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

import pytest

from peers import wirecat
from reach.lab.home import PORT
from reach.lab.namespaces import Host, require_namespaces


@pytest.fixture
def host() -> Iterator[Host]:
    """A PC on a network without a router."""
    require_namespaces()
    made = Host("alone")
    made.ip(
        "link set lo up", "link add eth0 type veth peer name far0", "link set eth0 up", "link set far0 up",
        "addr add 192.168.77.20/24 dev eth0",
    )  # fmt: skip
    yield made
    made.close()


def test_text_and_exit_codes_by_scope(host: Host) -> None:
    with host.listen(PORT):
        ended = host.wirecat("reach", str(PORT), "-v")
        assert ended.returncode == 0, ended.stderr
        assert "likely   the local network" in ended.stdout
        assert "others use 192.168.77.20:12345" in ended.stdout
        assert "connections in a copy of this network: tried" in ended.stderr
        assert host.wirecat("reach", str(PORT), "--scope", "internet").returncode == 1


def test_json_of_a_server_for_this_pc_only(host: Host) -> None:
    with host.listen(PORT, "127.0.0.1"):
        ended = host.wirecat("reach", str(PORT), "--json")
    document = json.loads(ended.stdout)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert set(document) == {"port", "checks", "verdict"}
    verdict = document["verdict"]
    assert (verdict["host"], verdict["lan"], verdict["internet"]) == ("likely", "blocked", "blocked")
    bound = next(check for check in document["checks"] if check["name"] == "bound")
    assert bound["state"] == "blocked"
    assert "bind 0.0.0.0 in place of 127.0.0.1" in bound["fix"]


def test_nobody_listens(host: Host) -> None:
    ended = host.wirecat("reach", "12346", "--scope", "host")
    assert ended.returncode == 1
    assert "nobody listens on TCP port 12346" in ended.stdout


def test_the_examples_of_the_help_work(host: Host) -> None:
    text = host.wirecat("reach", "--help").stdout
    examples = re.findall(r"^  wirecat (reach .*?)(?:   +#|\n      #) ", text, re.MULTILINE)
    assert len(examples) == 2
    with host.listen(PORT):
        # This PC has no way out: its neighbours get in, the internet does not.
        assert [host.wirecat(*shlex.split(example)).returncode for example in examples] == [0, 1]


@pytest.mark.parametrize("arguments", [(), ("0",), ("70000",), ("x",), ("12345", "--scope", "moon")])
def test_wrong_use(arguments: tuple[str, ...]) -> None:
    with wirecat("reach", *arguments) as program:
        assert program.wait() == 2
    assert program.stdout == b""
