"""Which event loop this machine has: uvloop, on Windows winloop, else plain asyncio."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """A function that makes a loop of the fastest kind installed (the extra ``[fast]``); None for asyncio's own.

    No policy is set: other loops of the program stay as they are.
    """
    name = "winloop" if sys.platform == "win32" else "uvloop"
    try:
        module = __import__(name)
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = module.new_event_loop
    return factory
