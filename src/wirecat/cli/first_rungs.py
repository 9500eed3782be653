"""What ``serve --lan`` says by itself where this PC's firewall keeps others out: looked at beside the serving."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from wirecat.cli.environment import Environment

_SECONDS = 3.0


class FirstRungs:
    """A look at the first rungs of ``reach``, in a thread: a server does not wait for it. A context manager."""

    def __init__(self, port: int, environment: Environment) -> None:
        self._port = port
        self._environment = environment
        self._thread = threading.Thread(target=self._look, name="wirecat-first-rungs", daemon=True)

    def _look(self) -> None:
        from wirecat.errors import WirecatError
        from wirecat.reach.first_rungs import first_rungs

        try:
            checks = first_rungs(self._port, _SECONDS)
        except WirecatError:
            return  # it cannot be seen, and nobody has asked
        for check in checks:
            self._environment.note(check.evidence)
            if check.fix:
                self._environment.note(f"what mends it: {check.fix}")
        if checks:
            self._environment.note(f"all of it: wirecat reach {self._port}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join(_SECONDS)
