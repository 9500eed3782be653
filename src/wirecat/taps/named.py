"""A tap by its name, for processes of their own that are to have one each: what makes it there, and of what."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.taps.tap import Tap


class NamedTap:
    """``name`` is ``MODULE:FUNCTION``, a function that makes a tap; ``settings`` are its arguments, such as JSON can hold.
    It is given ``worker`` too, the number of the process from 1, and ``life``, how often that was started.
    ``on_trouble(text)`` is called in the first process for what a tap of a swarm's processes reports; a server of several
    publishes it as a Failed event."""

    __slots__ = ("name", "on_trouble", "settings")

    def __init__(self, name: str, **settings: Any) -> None:
        self.name = name
        self.on_trouble: Callable[[str], object] | None = None
        self.settings = settings

    def task(self, worker: int, life: int = 1) -> dict[str, Any]:
        """What that process is told."""
        return {"name": self.name, "settings": {**self.settings, "worker": worker, "life": life}}


def make_named(task: dict[str, Any]) -> Tap:
    """The tap that ``NamedTap.task`` tells of. Raises what making it raises."""
    import importlib

    module, _, function = task["name"].partition(":")
    made: Tap = getattr(importlib.import_module(module), function)(**task["settings"])
    return made
