"""Sets of ipset, dumped by the kernel and made again elsewhere, with the same indexes."""

from __future__ import annotations

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.netlink_socket import NETLINK_NETFILTER, NLM_F_CREATE, NetlinkSocket
from wirecat.wire import ipset

SETS = """create gone hash:ip
create hosts hash:ip timeout 600
create nets hash:net family inet6
create pairs hash:ip,port,net
create ports bitmap:port range 0-65535
create range bitmap:ip range 10.0.0.0/24 timeout 60
create all list:set
destroy gone
add hosts 192.0.2.1
add nets 2001:db8::/32
add pairs 192.0.2.1,tcp:80,10.0.0.0/8
add ports 80-90
add range 10.0.0.7
add all hosts
add all nets
"""


def test_sets_are_made_again() -> None:
    peer("ipset")
    require_namespaces()
    one, other = Host("one"), Host("other")
    try:
        one.must("ipset", "restore", input=SETS)

        def dump() -> list[bytes]:
            with NetlinkSocket(NETLINK_NETFILTER) as kernel:
                return kernel.dump(ipset.SUBSYSTEM << 8 | ipset.LIST, ipset.list_request())

        def make() -> None:
            with NetlinkSocket(NETLINK_NETFILTER) as kernel:
                for command, body in ipset.copy_messages(one.inside(dump)):
                    kernel.request(ipset.SUBSYSTEM << 8 | command, body, NLM_F_CREATE * (command == ipset.CREATE))

        other.inside(make)
        saved = [
            sorted(line.partition(" timeout ")[0] for line in host.must("ipset", "save").splitlines())
            for host in (one, other)
        ]
        assert saved[0] == saved[1]
        assert len(saved[0]) == 6 + 7 + 10  # sets; elements, of which the ports are eleven
        first = {ipset.set_name(body): ipset.index_of(body) for body in one.inside(dump)}
        assert first == {ipset.set_name(body): ipset.index_of(body) for body in other.inside(dump)}
        assert first["hosts"] == 1
    finally:
        one.close()
        other.close()
