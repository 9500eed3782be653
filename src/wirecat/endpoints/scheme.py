"""One row of the table of schemes: what a kind of address is good for, in words and in facts."""

from __future__ import annotations

from wirecat.immutable import Immutable


class Scheme(Immutable):
    """A kind of address.

    ``module`` is its room in ``wirecat.endpoints``, imported when it is first used; ``help`` a line and ``example`` an
    address for people; ``options`` the names it takes behind ``?`` with a help line each; the rest is what it can do.
    """

    __slots__ = (
        "connects",
        "example",
        "half_closes",
        "help",
        "keeps_boundaries",
        "listens",
        "module",
        "name",
        "options",
    )

    name: str
    module: str
    help: str
    example: str
    options: dict[str, str]
    connects: bool
    listens: bool
    half_closes: bool
    keeps_boundaries: bool

    def __init__(
        self,
        name: str,
        module: str,
        help: str,
        example: str,
        *,
        options: dict[str, str] | None = None,
        connects: bool = True,
        listens: bool = True,
        half_closes: bool = True,
        keeps_boundaries: bool = False,
    ) -> None:
        self._set(
            name=name, module=module, help=help, example=example, options=options or {}, connects=connects, listens=listens,
            half_closes=half_closes, keeps_boundaries=keeps_boundaries,
        )  # fmt: skip
