"""This machine's default routes, whatever the system: rtnetlink on Linux, route(8) on macOS, PowerShell on Windows."""

from __future__ import annotations

import sys

from wirecat.system.route import Route


def default_routes(seconds: float = 3.0) -> list[Route]:
    """The default routes of both families, the preferred first. Empty where there is none, or it cannot be read."""
    if sys.platform.startswith("linux"):
        from wirecat.system.netlink_routes import read_netlink_routes

        try:
            return read_netlink_routes()
        except OSError:
            return []
    from wirecat.system.command import run_command

    if sys.platform == "win32":
        return read_windows_routes(run_command(["powershell", "-NoProfile", "-Command", WINDOWS], seconds).stdout)
    four = run_command(["route", "-n", "get", "default"], seconds).stdout
    six = run_command(["route", "-n", "get", "-inet6", "default"], seconds).stdout
    return [*read_bsd_route(four, "ipv4"), *read_bsd_route(six, "ipv6")]


WINDOWS = (
    "Get-NetRoute -DestinationPrefix 0.0.0.0/0,::/0 -ErrorAction SilentlyContinue | Sort-Object RouteMetric | "
    "Select-Object DestinationPrefix,NextHop,InterfaceAlias | ConvertTo-Json -Compress"
)
"""What PowerShell is asked on Windows (Get-NetRoute, module NetTCPIP)."""


def read_windows_routes(text: str) -> list[Route]:
    """Routes from what PowerShell prints: one JSON object, or a list of them."""
    import json

    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    routes = []
    for row in found if isinstance(found, list) else [found]:
        hop = str(row.get("NextHop") or "")
        family = "ipv6" if ":" in str(row.get("DestinationPrefix")) else "ipv4"
        routes.append(Route(family, "" if hop in ("0.0.0.0", "::") else hop, str(row.get("InterfaceAlias") or "")))
    return routes


def read_bsd_route(text: str, family: str) -> list[Route]:
    """The route from what ``route -n get default`` prints on macOS and the BSDs: lines of ``name: value``."""
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}
    if "interface" not in fields:
        return []
    gateway = fields.get("gateway", "")
    return [Route(family, gateway if gateway[:1] in "0123456789abcdef" else "", fields["interface"])]
