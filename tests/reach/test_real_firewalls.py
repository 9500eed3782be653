"""ufw and firewalld as the programs that they are, in a network of its own: what reach says of it is what a real connection shows.

ufw keeps its settings in /etc/ufw and /etc/default/ufw: a mount namespace puts copies there, so that the machine's own
are not touched, and copies that keep out what nothing allows, as ufw comes.
"""

from __future__ import annotations

import shlex
import shutil
import time
from pathlib import Path

import pytest

from peers import PATIENCE, peer
from reach.campaign import LONG
from reach.lab.home import PORT, Home
from reach.truth import check, hold_against_the_truth, report


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A copy of ufw's settings."""
    peer("ufw")
    peer("iptables")
    shutil.copytree("/etc/ufw", tmp_path / "ufw")
    defaults = Path("/etc/default/ufw").read_text()
    (tmp_path / "defaults").write_text(f'{defaults}\nDEFAULT_INPUT_POLICY="DROP"\n')
    return tmp_path


def ufw(home: Home, settings: Path, command: str) -> None:
    """Run a command of ufw on the server, with the copy of its settings in place of the machine's."""
    mounts = [(settings / "ufw", "/etc/ufw"), (settings / "defaults", "/etc/default/ufw")]
    script = "".join(f"mount --bind {shlex.quote(str(ours))} {place} && " for ours, place in mounts) + f"exec {command}"
    home.server.must("unshare", "--mount", "--propagation", "private", "sh", "-c", script)


@LONG
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


BUS = """<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>
"""


#: Their own Python is not to take this project's warnings for errors.
PLAIN = ("env", "-u", "PYTHONWARNINGS", "-u", "PYTHONPATH")


@LONG
def test_firewalld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a message bus of its own, so that no firewalld of the machine's is spoken to."""
    programs = [peer(name) for name in ("dbus-daemon", "firewalld", "firewall-cmd")]
    (tmp_path / "bus.conf").write_text(BUS.format(path=tmp_path / "bus"))
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'bus'}")
    with Home("upnp-off", "static") as home, home.server.listen(PORT):
        bus = home.server.program(programs[0], f"--config-file={tmp_path / 'bus.conf'}", "--nofork", "--print-address")
        with bus:
            bus.wait_for("stdout", b"unix:path=")
            with home.server.program(*PLAIN, programs[1], "--nofork", "--nopid", check_warnings=False):
                deadline = time.monotonic() + 2 * PATIENCE
                while home.server.run(*PLAIN, programs[2], "--state").returncode:
                    assert time.monotonic() < deadline, "firewalld does not come up"
                document = report(home)
                hold_against_the_truth(home, document)
                assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("blocked", "blocked")
                now = check(document, "firewall-internet")["fix"].partition(" && ")[0]
                assert now == f"firewall-cmd --add-port={PORT}/tcp"
                home.server.must(*PLAIN, *now.split())
                document = report(home)
                hold_against_the_truth(home, document)
                assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("likely", "unknown")
                assert home.outside.reaches("11.77.0.2", PORT, PATIENCE)
