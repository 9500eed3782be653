"""The source of wirecat as data: its modules, and what each imports, where and when.

Everything is read by `ast` and nothing is imported, so that a rule about imports can't be bent by running
them.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from peers import SOURCE

PACKAGE = "wirecat"

#: When an import runs: as its module is loaded, as a function is called, or never (only a type checker reads
#: it).
When = Literal["load", "call", "types"]


class Import(NamedTuple):
    """One import of one module by another."""

    importer: str
    target: str
    line: int
    when: When

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}: imports {self.target}"


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of wirecat by its dotted name; that of a package means its `__init__.py`."""
    found = {}
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def tree(name: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(modules()[name].read_text(encoding="utf-8"), filename=str(modules()[name]))


def is_package(name: str) -> bool:
    return modules()[name].name == "__init__.py"


def packages_of(name: str) -> list[str]:
    """The packages that a module lies in, innermost first; a package does not lie in itself."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]


@functools.cache
def imports(name: str) -> tuple[Import, ...]:
    """Every import of a module, of wirecat's own modules and of others, in the order of the file."""
    return tuple(_imports_below(name, tree(name), "load"))


def own_imports(name: str) -> Iterator[Import]:
    """The imports of wirecat's own modules."""
    return (each for each in imports(name) if each.target.partition(".")[0] == PACKAGE)


def _imports_below(name: str, node: ast.AST, when: When) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(name, alias.name, child.lineno, when)
        elif isinstance(child, ast.ImportFrom):
            base = _absolute(name, child)
            for alias in child.names:
                inner = f"{base}.{alias.name}"
                yield Import(name, inner if inner in modules() else base, child.lineno, when)
        elif isinstance(child, ast.If) and _asks_for_type_checking(child.test):
            for part in child.body:
                yield from _imports_below(name, ast.Module([part], []), "types")
            for part in child.orelse:
                yield from _imports_below(name, ast.Module([part], []), when)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports_below(name, child, when if when == "types" else "call")
        else:
            yield from _imports_below(name, child, when)


def _absolute(name: str, node: ast.ImportFrom) -> str:
    """The module that a `from … import` names, also where it is written relative to the importer."""
    if not node.level:
        return node.module or ""
    parts = name.split(".") if is_package(name) else name.split(".")[:-1]
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _asks_for_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
