"""Whether a listener on all IPv6 addresses takes IPv4 too."""

from __future__ import annotations

import os
import socket

import pytest

from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.netlink_dual_stack import read_ipv6_only


@pytest.mark.parametrize("only", [True, False])
def test_it_is_told(only: bool) -> None:
    require_namespaces()
    host = Host("dual")

    def look() -> bool:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
            listener.bind(("::", 0))
            listener.listen()
            return read_ipv6_only()[os.fstat(listener.fileno()).st_ino]

    try:
        assert host.inside(look) is only
    finally:
        host.close()
