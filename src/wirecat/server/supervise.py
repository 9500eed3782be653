"""Whether a server can be one of workers: all that is checked before any socket opens, then the supervisor."""

from __future__ import annotations

import sys

from wirecat.errors import UsageError
from wirecat.options import require_number
from wirecat.server.check import check
from wirecat.server.importable import importable_name
from wirecat.server.supervisor import Supervisor
from wirecat.server.worker_process import MARK
from wirecat.system.limits import usable_processors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.address import Address
    from wirecat.endpoints.listener import Listener
    from wirecat.options import ServeOptions
    from wirecat.server.handler import Handler

MOST_WORKERS = 256


def supervise(
    given: str | Callable[..., Any],
    handler: Handler,
    address: Address,
    options: ServeOptions,
    workers: int | str,
    *,
    listener: Listener | None = None,
) -> Supervisor:
    """A supervisor of ``workers`` processes (``auto``: one for each processor), not started yet. ``given`` is what
    ``handler`` was loaded from. Raises HandlerError, and UsageError for what workers cannot serve, before any socket
    opens."""
    if hasattr(sys.modules["__main__"], MARK):  # it would start workers of its own, and so would these
        raise UsageError(
            "a worker that imports its handler would start a server of workers",
            hint='Put what starts the server under: if __name__ == "__main__"',
        )
    if address.scheme != "tcp":
        raise UsageError("workers serve TCP alone", address=address.bare, hint="Leave --workers out.")
    if listener is not None:
        raise UsageError("workers have listeners of their own, and take no other")
    count = usable_processors() if workers == "auto" else workers
    require_number("workers", count, least=1, whole=True)  # type: ignore[arg-type]
    assert isinstance(count, int)
    if count > MOST_WORKERS:
        raise UsageError(f"{count} workers are more than {MOST_WORKERS}", hint="One for each processor: auto.")
    name = importable_name(given)
    check(handler, address, options)
    return Supervisor(handler, name, address, options, count)
