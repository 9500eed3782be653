"""ufw as the program that it is, in a network of its own: what reach says of it is what a real connection shows.

ufw keeps its settings in /etc/ufw: a mount namespace puts a copy there, so that the machine's own are not touched.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from peers import peer
from reach.lab.home import PORT, Home
from reach.truth import check, hold_against_the_truth, report


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A copy of ufw's settings."""
    peer("ufw")
    peer("iptables")
    shutil.copytree("/etc/ufw", tmp_path / "ufw")
    return tmp_path / "ufw"


def ufw(home: Home, settings: Path, command: str) -> None:
    """Run a command of ufw on the server, with the copy of its settings in place of the machine's."""
    script = f"mount --bind {shlex.quote(str(settings))} /etc/ufw && exec {command}"
    home.server.must("unshare", "--mount", "--propagation", "private", "sh", "-c", script)


def test_ufw(settings: Path) -> None:
    with Home("upnp-off", "static") as home, home.server.listen(PORT):
        ufw(home, settings, "ufw --force enable")
        document = report(home)
        hold_against_the_truth(home, document)
        assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("blocked", "blocked")
        fix = check(document, "firewall-lan")["fix"]
        assert fix == f"ufw allow from 192.168.77.0/24 to any port {PORT} proto tcp"
        ufw(home, settings, fix)
        document = report(home)
        hold_against_the_truth(home, document)
        assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("likely", "blocked")
        fix = check(document, "firewall-internet")["fix"]
        assert fix == f"ufw allow {PORT}/tcp"
        ufw(home, settings, fix)
        document = report(home)
        hold_against_the_truth(home, document)
        assert document["verdict"]["internet"] == "unknown"
        assert home.outside.reaches("11.77.0.2", PORT, 20)
