"""How many nftables tables the Linux kernel has, asked through netlink: none is a firewall that stops nothing.

It answers where no program for nftables is installed, and only root (CAP_NET_ADMIN).
"""

from __future__ import annotations

import struct

from wirecat.system.netlink import dump, message_reader

_NETLINK_NETFILTER = 12
_NFT_MSG_NEWTABLE, _NFT_MSG_GETTABLE = 10 << 8, 10 << 8 | 1  # the subsystem nftables is number 10
_GENERIC = struct.Struct(">BBH")  # nfgenmsg: family (0: any), version, resource


def count_nftables_tables() -> int:
    """The number of tables. Raises OSError: not root (EPERM), or a kernel without nftables."""
    count = 0

    def read(buffer: bytearray, start: int, end: int) -> None:
        nonlocal count
        count += 1

    reader = message_reader(_NFT_MSG_NEWTABLE, 0, read)
    dump(_NETLINK_NETFILTER, _NFT_MSG_GETTABLE, _GENERIC.pack(0, 0, 0), reader)
    return count
