"""A home network, its router, the provider and a host outside, each a network namespace.

    outside 11.77.0.9 ── [provider: a second translator] ── router 11.77.0.2 │ 192.168.77.1 ── server .20, neighbour .30

    with Home("natpmp-only", "hostfw") as home, home.server.listen(PORT):
        assert not home.neighbour.reaches(SERVER, PORT, timeout=1)

Addresses that look public are used inside only, where they mean nothing else: a router's daemon refuses to map a port
where its own outer address is private, a carrier's or one of documentation. 2d00::/8 is unallocated, and yet global.

VARIANTS, which may be combined where they do not contradict each other:

    igd1, natpmp-only, upnp-only, upnp-off     what the router's daemon offers (without one: all, UPnP as version 2)
    pcp-refused                                the daemon's PCP is answered as by a router that speaks NAT-PMP alone
    link-local                                 the router's address by IPv6 is a link-local one, as it is in most homes
    cgnat, doublenat                           the router's outer address is 100.64.7.2, or 192.168.1.2
    static, hairpin                            a forward made by hand; the same, to be used from inside too
    isolate                                    the switch keeps its devices apart
    hostfw, hostfw-reject                      the server's own firewall drops, or resets, what it did not ask for
    hostfw-open, hostfw-lan                    … but lets the port in: from everywhere, from the local network only
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from peers import Program, peer
from reach.lab.namespaces import Host, cable, require_namespaces
from reach.lab.without_pcp import without_pcp

PORT = 12345
SERVER, NEIGHBOUR, ROUTER = "192.168.77.20", "192.168.77.30", "192.168.77.1"
SERVER6, ROUTER6, ROUTER_LINK = "2d00:77:0:1::20", "2d00:77:0:1::1", "fe80::77:1"
PUBLIC, OUTSIDE, OUTSIDE6 = "11.77.0.2", "11.77.0.9", "2d00:11:0:1::9"

DAEMON = {"igd1", "natpmp-only", "upnp-only", "upnp-off"}
SECOND_TRANSLATOR = {"cgnat": "100.64.7", "doublenat": "192.168.1"}
HOST_FIREWALL = {"hostfw", "hostfw-reject", "hostfw-open", "hostfw-lan"}
VARIANTS = {*DAEMON, "pcp-refused", "link-local", *SECOND_TRANSLATOR, "static", "hairpin", "isolate", *HOST_FIREWALL}

# miniupnpd takes a lease of less than this many seconds for this many.
SHORTEST_LEASE = 120

_FORWARDING = {"ipv4.ip_forward": "1", "ipv6.conf.all.forwarding": "1"}


class Home:
    """The lab in some variants, ready in a ``with`` block; all of it goes when the block ends."""

    def __init__(self, *variants: str, shortest_lease: int = SHORTEST_LEASE) -> None:
        unknown = set(variants) - VARIANTS
        if unknown:
            raise ValueError(f"no such variant: {unknown}")
        self.variants = set(variants)
        self.shortest_lease = shortest_lease
        self.daemon: Program | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Home:
        for program in ("ip", "nft", "miniupnpd"):
            peer(program)
        require_namespaces()
        with ExitStack() as stack:
            self.server, self.neighbour = self._host(stack, "server"), self._host(stack, "neighbour")
            self.router, self.outside = self._host(stack, "router"), self._host(stack, "outside")
            self._lay_lan()
            self._lay_outside(stack)
            self._protect_router()
            if self.variants & HOST_FIREWALL:
                self._protect_server()
            if "upnp-off" not in self.variants:
                self._start_daemon(stack)
            if "pcp-refused" in self.variants:
                stack.enter_context(without_pcp(self.router, "br0"))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self.daemon is not None:
            error.add_note(self.daemon.describe())
        self._stack.close()

    def _host(self, stack: ExitStack, name: str) -> Host:
        host = Host(name)
        stack.callback(host.close)
        host.ip("link set lo up")
        return host

    def _lay_lan(self) -> None:
        router = self.router
        router.kernel(**_FORWARDING)
        router.ip("link add br0 type bridge forward_delay 0 mcast_snooping 0")
        try:
            # Where the kernel can, it would send what passes the switch through the router's firewall as well.
            router.kernel(**{f"bridge.bridge-nf-call-{table}": "0" for table in ("iptables", "ip6tables", "arptables")})
        except FileNotFoundError:
            pass
        for number, host in ((20, self.server), (30, self.neighbour)):
            cable(host, "eth0", router, f"port{number}")
            router.ip(f"link set port{number} master br0")
            if "isolate" in self.variants:
                router.ip(f"link set port{number} type bridge_slave isolated on")
            host.ip(f"addr add 192.168.77.{number}/24 dev eth0", f"addr add 2d00:77:0:1::{number}/64 dev eth0")
        router.ip("link set br0 up", f"addr add {ROUTER}/24 dev br0", f"addr add {ROUTER6}/64 dev br0")
        router.ip(f"addr add {ROUTER_LINK}/64 dev br0")
        router6 = f"{ROUTER_LINK} dev eth0" if "link-local" in self.variants else ROUTER6
        for host in (self.server, self.neighbour):
            host.ip(f"route add default via {ROUTER}", f"route add default via {router6}")

    def _lay_outside(self, stack: ExitStack) -> None:
        second = [network for name, network in SECOND_TRANSLATOR.items() if name in self.variants]
        outside, router = self.outside, self.router
        if not second:
            cable(router, "wan0", outside, "eth0")
            self._address_outside("2d00:11:0:1::2")
            router.ip(f"addr add {PUBLIC}/24 dev wan0", "addr add 2d00:11:0:1::2/64 dev wan0")
            router.ip(f"route add default via {OUTSIDE}", f"route add default via {OUTSIDE6}")
            return
        provider = self._host(stack, "provider")
        provider.kernel(**_FORWARDING)
        cable(router, "wan0", provider, "in0")
        cable(provider, "out0", outside, "eth0")
        self._address_outside("2d00:11:0:1::2")
        provider.ip(
            f"addr add {second[0]}.1/24 dev in0", "addr add 2d00:11:0:2::1/64 dev in0",
            f"addr add {PUBLIC}/24 dev out0", "addr add 2d00:11:0:1::2/64 dev out0",
            "route add 2d00:77:0:1::/64 via 2d00:11:0:2::2",
        )  # fmt: skip
        provider.nft("""
            table ip nat { chain out { type nat hook postrouting priority 100; oifname "out0" masquerade; }; }
            table ip filter { chain forward { type filter hook forward priority 0; policy drop;
                ct state established,related accept; iifname "in0" accept; }; }
            """)
        router.ip(
            f"addr add {second[0]}.2/24 dev wan0", "addr add 2d00:11:0:2::2/64 dev wan0",
            f"route add default via {second[0]}.1", "route add default via 2d00:11:0:2::1",
        )  # fmt: skip

    def _address_outside(self, home6: str) -> None:
        self.outside.ip(
            f"addr add {OUTSIDE}/24 dev eth0",
            f"addr add {OUTSIDE6}/64 dev eth0",
            f"route add 2d00:77:0:1::/64 via {home6}",
        )

    def _protect_router(self) -> None:
        """The router's firewall and its translation of addresses; the daemon fills the chains named after it."""
        by_hand = f'iifname "wan0" tcp dport {PORT} dnat ip to {SERVER}:{PORT}'
        from_inside = f'iifname "br0" ip daddr {PUBLIC} tcp dport {PORT} dnat ip to {SERVER}:{PORT}'
        hairpin = "hairpin" in self.variants
        self.router.nft(f"""
table inet filter {{
  chain input {{ type filter hook input priority 0; policy drop;
    iifname {{ "lo", "br0" }} accept
    ct state established,related accept
    meta l4proto {{ icmp, ipv6-icmp }} accept
  }}
  chain miniupnpd {{ }}
  chain forward {{ type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "br0" oifname "wan0" accept
    ct status dnat iifname "wan0" accept
    {'iifname "br0" oifname "br0" ct status dnat accept' if hairpin else ""}
    meta l4proto ipv6-icmp accept
    jump miniupnpd
  }}
  chain prerouting_miniupnpd {{ }}
  chain postrouting_miniupnpd {{ }}
  chain prerouting {{ type nat hook prerouting priority -100;
    {by_hand if self.variants & {"static", "hairpin"} else ""}
    {from_inside if hairpin else ""}
    jump prerouting_miniupnpd
  }}
  chain postrouting {{ type nat hook postrouting priority 100;
    {'iifname "br0" oifname "br0" ct status dnat masquerade' if hairpin else ""}
    jump postrouting_miniupnpd
    meta nfproto ipv4 oifname "wan0" masquerade
  }}
}}
""")

    def _protect_server(self) -> None:
        lets_in = {"hostfw-open": f"tcp dport {PORT} accept",
                   "hostfw-lan": f"ip saddr 192.168.77.0/24 tcp dport {PORT} accept"}  # fmt: skip
        rules = [rule for name, rule in lets_in.items() if name in self.variants]
        if "hostfw-reject" in self.variants:
            rules.append("meta l4proto tcp reject with tcp reset")
        self.server.nft(f"""
table inet filter {{
  chain input {{ type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    meta l4proto {{ icmp, ipv6-icmp }} accept
    tcp dport 22 accept
    {chr(10).join(rules)}
  }}
}}
""")

    def _start_daemon(self, stack: ExitStack) -> None:
        """miniupnpd, the daemon of many home routers, in the foreground."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wirecat-lab-")))
        has = self.variants.__contains__
        (folder / "leases").touch()
        settings = {
            "ext_ifname": "wan0", "ext_ifname6": "wan0", "listening_ip": "br0", "http_port": 5000,
            "enable_upnp": "no" if has("natpmp-only") else "yes",
            "enable_natpmp": "no" if has("upnp-only") else "yes",
            "force_igd_desc_v1": "yes" if has("igd1") else "no",
            "min_lifetime": self.shortest_lease, "max_lifetime": 86400, "secure_mode": "yes", "notify_interval": 60,
            "upnp_table_name": "filter", "upnp_nat_table_name": "filter", "upnp_forward_chain": "miniupnpd",
            "upnp_nat_chain": "prerouting_miniupnpd", "upnp_nat_postrouting_chain": "postrouting_miniupnpd",
            "lease_file": folder / "leases", "uuid": "7d9f5b52-0000-4000-8000-000000000012",
        }  # fmt: skip
        lines = [f"{name}={value}" for name, value in settings.items()]
        lines += ["allow 1024-65535 192.168.77.0/24 1024-65535", "deny 0-65535 0.0.0.0/0 0-65535", ""]
        (folder / "conf").write_text("\n".join(lines))
        command = (peer("miniupnpd"), "-d", "-f", str(folder / "conf"), "-P", str(folder / "pid"))
        self.daemon = stack.enter_context(self.router.program(*command, check_warnings=False))
        # The last that it says before it serves.
        ready = b"Listening for NAT-PMP/PCP" if not has("upnp-only") else b"HTTP listening on port"
        self.daemon.wait_for("stderr", ready)

    def mapped(self) -> str:
        """What the router's daemon has mapped and let through now, as nft(8) prints it."""
        chains = ("prerouting_miniupnpd", "miniupnpd")
        return "".join(self.router.must(peer("nft"), "list", "chain", "inet", "filter", name) for name in chains)
