"""Whether another process can serve with a handler too, and by what name it finds it there."""

from __future__ import annotations

import os
import sys

from wirecat.errors import HandlerError
from wirecat.server.handlers import find_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_HINT = "Put it into a module that can be imported, and write MODULE:FUNCTION or FILE.py:FUNCTION."


def importable_name(handler: str | Callable[..., Any]) -> str:
    """The name under which ``load_handler`` in another process finds ``handler``.

    Raises HandlerError for a handler whose clients share what one process holds, and for a function that has no name
    outside this one: a local one, a lambda, one of the program itself (``__main__``), which a second process would have
    to run again.
    """
    if isinstance(handler, str):
        return _spec(handler)
    module = str(getattr(handler, "__module__", None))
    name = str(getattr(handler, "__qualname__", None))
    if module == "__main__":
        raise HandlerError(f"the handler {name!r} is in the program itself, and workers import theirs", hint=_HINT)
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not handler:
        raise HandlerError(f"the handler {name!r} cannot be imported from {module!r} by a worker", hint=_HINT)
    return f"{module}:{name}"


def _spec(spec: str) -> str:
    row, _, argument = find_row(spec)
    if row is None:
        place, colon, function = spec.rpartition(":")
        # A successor is started later, perhaps from another directory.
        return f"{os.path.abspath(place)}{colon}{function}" if place.endswith(".py") else spec
    if row.shared and (argument or not row.optional):
        raise HandlerError(
            f"the clients of {row.name} share {row.shared}, which needs one process", hint="Leave --workers out."
        )
    return spec
