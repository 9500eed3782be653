"""Mappings of ports in words."""

from __future__ import annotations

from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.port_mapping.mapping import Mapping
    from wirecat.reach.leftovers import Leftover


def mapped_line(mapping: Mapping) -> str:
    """What to say once a mapping stands."""
    inner = f"[{mapping.host}]:{mapping.port}" if ":" in mapping.host else f"{mapping.host}:{mapping.port}"
    how = f"by {mapping.protocol}, for {mapping.lifetime} s, renewed until Ctrl-C" if mapping.lifetime else (
        f"by {mapping.protocol}, without an end: it is taken back at Ctrl-C")  # fmt: skip
    if mapping.external_host == mapping.host:
        return f"the router lets {inner} in ({how})"
    line = f"the router passes {mapping.external} on to {inner} ({how})"
    if mapping.external_port != mapping.port:
        line += f"; its port {mapping.port} was not to be had"
    return line


def leftovers_text(found: list[Leftover]) -> str:
    """A line for each mapping: where it leads, by what protocol, and who keeps it."""
    lines = []
    for each in found:
        mapping = each.mapping
        state = (
            f"kept by process {mapping.pid}" if each.alive else "its lease is over" if each.expired else "left behind"
        )
        where = f"{mapping.external} -> {mapping.host} port {mapping.port}"
        lines.append(f"{printable(f'{where}  {mapping.protocol}  {state}')}\n")
    return "".join(lines)
