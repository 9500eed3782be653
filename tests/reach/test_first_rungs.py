"""``serve --lan`` says by itself that this PC's firewall keeps others out, and is silent where it does not."""

from __future__ import annotations

import re

from peers import wirecat_command
from reach.lab.home import PORT, Home
from wirecat.reach.first_rungs import first_rungs


def test_a_server_behind_a_firewall_says_so() -> None:
    with Home("upnp-off", "hostfw") as home:
        with home.server.program(*wirecat_command("serve", "echo", str(PORT), "--lan")) as serving:
            serving.wait_for("stderr", rb"the firewall of this machine drops it: policy drop of chain input")
            fix = serving.wait_for("stderr", rb"what mends it: (nft .*)\n")[1].decode()
            serving.wait_for("stderr", rb"wirecat reach 12345")
            home.server.must(*fix.split())
            assert home.neighbour.reaches("192.168.77.20", PORT, 20)
            assert home.server.inside(lambda: first_rungs(PORT)) == []
            serving.interrupt()
            assert serving.wait() == 0


def test_where_nothing_is_in_the_way_nothing_is_said() -> None:
    with Home("upnp-off") as home:
        with home.server.program(*wirecat_command("serve", "echo", str(PORT), "--lan", "--drain", "0")) as serving:
            serving.wait_for("stderr", rb"others connect to")
            serving.interrupt()
            assert serving.wait() == 0
        assert not re.search(rb"firewall|mends", serving.stderr)
        with home.server.listen(PORT, "127.0.0.1"):
            assert [check.name for check in home.server.inside(lambda: first_rungs(PORT))] == ["bound"]
