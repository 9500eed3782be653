"""The default routes: what the programs of macOS and Windows print, as their makers document it."""

from __future__ import annotations

import pytest

from wirecat.system.route import Route
from wirecat.system.routes import default_routes, read_bsd_route, read_windows_routes

MACOS = """   route to: default
destination: default
       mask: default
    gateway: 192.168.1.1
  interface: en0
      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>
"""


def test_macos() -> None:
    assert read_bsd_route(MACOS, "ipv4") == [Route("ipv4", "192.168.1.1", "en0")]
    assert read_bsd_route("  gateway: fe80::1%en0\ninterface: en0\n", "ipv6") == [Route("ipv6", "fe80::1%en0", "en0")]
    assert read_bsd_route("gateway: link#14\ninterface: utun3\n", "ipv4") == [Route("ipv4", "", "utun3")]


@pytest.mark.parametrize("text", ["", "route: writing to routing socket: not in table\n"])
def test_no_route_on_macos(text: str) -> None:
    assert read_bsd_route(text, "ipv4") == []


def test_windows() -> None:
    one = '{"DestinationPrefix":"0.0.0.0/0","NextHop":"192.168.1.1","InterfaceAlias":"Wi-Fi"}'
    six = '{"DestinationPrefix":"::/0","NextHop":"fe80::1","InterfaceAlias":"Wi-Fi"}'
    assert read_windows_routes(one) == [Route("ipv4", "192.168.1.1", "Wi-Fi")]
    assert read_windows_routes(f"[{one},{six}]")[1] == Route("ipv6", "fe80::1", "Wi-Fi")
    assert read_windows_routes("") == read_windows_routes("Get-NetRoute : not recognised") == []


def test_this_machine_has_some_or_none() -> None:
    assert all(route.interface for route in default_routes())
