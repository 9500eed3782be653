"""The environment of the programs that wirecat starts."""

from __future__ import annotations

import os

from wirecat.secret import VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def child_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process' environment with ``changes``, and without wirecat's own secrets.

    A program that serves clients would show a stranger what it has inherited (``exec:env``).
    """
    inherited = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return {**inherited, **(changes or {})}
