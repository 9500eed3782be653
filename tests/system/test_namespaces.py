"""A thread's way into a new network and back."""

from __future__ import annotations

import os
import socket

from reach.lab.namespaces import in_thread, require_namespaces
from wirecat.system.namespaces import enter_network, make_network, open_network


def test_new_network_is_empty_and_the_old_one_is_found_again() -> None:
    require_namespaces()

    def work() -> tuple[list[str], bool]:
        before = open_network()
        there = os.stat(before).st_ino
        made = make_network()
        try:
            names = [name for _, name in socket.if_nameindex()]
            enter_network(before)
            here = open_network()
            same = os.stat(here).st_ino == there
            os.close(here)
            return names, same
        finally:
            os.close(made)
            os.close(before)

    assert in_thread(work) == (["lo"], True)
