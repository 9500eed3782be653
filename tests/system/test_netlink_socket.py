"""Requests, dumps and batches over netlink, with the kernel's own explanations of errors."""

from __future__ import annotations

import errno

import pytest

from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.netlink_socket import NETLINK_ROUTE, NLM_F_CREATE, NetlinkSocket
from wirecat.wire import rtnetlink
from wirecat.wire.netlink import attribute


def test_dump_and_error() -> None:
    require_namespaces()
    host = Host("netlink")

    def work() -> None:
        with NetlinkSocket(NETLINK_ROUTE, groups=(1,)) as kernel:
            links = [rtnetlink.Link(body).name for body in kernel.dump(rtnetlink.GET_LINK, rtnetlink.link_request())]
            assert links == ["lo"]
            assert kernel.notifications() == []
            kernel.request(rtnetlink.SET_LINK, rtnetlink.set_link(1, up=True))
            with pytest.raises(OSError) as raised:
                kernel.request(rtnetlink.SET_LINK, rtnetlink.set_link(77, up=True))
            assert raised.value.errno == errno.ENODEV
            unreachable = rtnetlink.make_route(2, b"\n\0\0\0", 8, 1) + attribute(5, b"\n\1\1\1")
            with pytest.raises(OSError, match="gateway"):
                kernel.request(rtnetlink.NEW_ROUTE, unreachable, NLM_F_CREATE)

    try:
        host.inside(work)
    finally:
        host.close()
