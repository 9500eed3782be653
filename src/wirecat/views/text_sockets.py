"""The socket table as text, in netstat's columns, for a terminal or a pipe."""

from __future__ import annotations

from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.system.socket_row import SocketRow

_HEADINGS = ("Proto", "Recv-Q", "Send-Q", "Local address", "Remote address", "State", "Process")
_UNKNOWN = "-"
_SHORTEST_PROCESS = 8


def sockets_lines(rows: Sequence[SocketRow], *, width: int | None = None) -> list[str]:
    """The heading and a line for each socket, aligned.

    A process reads ``4711/python3``, nobody at the other end ``*``, and what is not known ``-``. ``width`` is
    the terminal's: where the lines are longer, the columns move together and the processes' names are cut
    (addresses never are). Process names are made safe for a terminal.
    """
    hosts: dict[str, str] = {}
    cells = [_HEADINGS]
    for row in rows:
        remote = "*" if row.remote_port is None else _endpoint(row.remote_host or "", row.remote_port, hosts)
        cells.append(
            (
                row.protocol,
                _UNKNOWN if row.recv_queue is None else str(row.recv_queue),
                _UNKNOWN if row.send_queue is None else str(row.send_queue),
                _endpoint(row.local_host, row.local_port, hosts),
                remote,
                row.state or _UNKNOWN,
                _process(row),
            )
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    gap = "  "
    if width is not None and sum(widths) + len(gap) * (len(widths) - 1) > width:
        gap = " "
        room = max(width - sum(widths[:-1]) - len(widths) + 1, _SHORTEST_PROCESS)
        cells = [line if len(line[-1]) <= room else (*line[:-1], line[-1][: room - 1] + "…") for line in cells]
    proto, recv, send, local, remote_width, state, _ = widths
    layout = gap.join(
        (f"%-{proto}s", f"%{recv}s", f"%{send}s", f"%-{local}s", f"%-{remote_width}s", f"%-{state}s", "%s")
    )
    return [layout % line for line in cells]


def sockets_text(rows: Sequence[SocketRow], *, width: int | None = None) -> str:
    """``sockets_lines`` as one text that ends with a line feed."""
    return "\n".join(sockets_lines(rows, width=width)) + "\n"


def _endpoint(host: str, port: int, hosts: dict[str, str]) -> str:
    prefix = hosts.get(host)
    if prefix is None:
        prefix = hosts[host] = f"[{printable(host)}]:" if ":" in host else f"{printable(host)}:"
    return f"{prefix}{port}"


def _process(row: SocketRow) -> str:
    if row.pid is None:
        return _UNKNOWN
    return f"{row.pid}/{printable(row.process)}" if row.process else str(row.pid)
