"""A base for small values that never change: equality, hash, repr and ``replace`` read off ``__slots__``.

It stands in for frozen dataclasses where a program's start pays for every import (dataclasses cost 16 ms).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Self


class Immutable:
    """A value whose fields are the ``__slots__`` of its classes and are set once, by ``_set`` in ``__init__``."""

    __slots__ = ()

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def draft(cls) -> type[Any]:
        """A class of the same shape whose fields can still be set. Assign them all, then ``__class__ = cls``.

        For values of which a busy server makes two for each connection: it takes an eighth of the time of ``_set``.
        """
        shape = {"__slots__": cls.__dict__["__slots__"]}
        # Both, or CPython would look one of them up at each assignment.
        shape |= {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")}
        return type(f"{cls.__name__}Draft", cls.__bases__, shape)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """The names of all fields, base classes' first."""
        return tuple(name for base in reversed(cls.__mro__) for name in base.__dict__.get("__slots__", ()))

    def fields(self) -> dict[str, Any]:
        """The fields as a new dictionary, in order."""
        return {name: getattr(self, name) for name in self.field_names()}

    def replace(self, **changes: object) -> Self:
        """A copy in which the named fields differ. Takes what ``__init__`` takes."""
        return type(self)(**{**self.fields(), **changes})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed (field {name!r}); use replace()")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed (field {name!r})")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.fields() == other.fields()

    def __hash__(self) -> int:
        return hash((type(self), *self.fields().values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.fields().items())})"

    def __getstate__(self) -> dict[str, Any]:
        return self.fields()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(**state)
