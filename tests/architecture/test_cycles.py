"""No circle of imports: what a module needs to be loaded never needs that module.

Only imports that run as a module is loaded count. To load a module is to load the packages it lies in as
well, so an `__init__.py` on the way is part of the chain, except where the importer lies in the same package:
it is being loaded already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from architecture.source_tree import modules, own_imports, packages_of


def needs(name: str) -> Iterator[str]:
    """What has to be loaded before a module is."""
    inside = {name, *packages_of(name)}
    for each in own_imports(name):
        if each.when == "load":
            yield each.target
            yield from (package for package in packages_of(each.target) if package not in inside)


def find_circle(graph: Mapping[str, Set[str]]) -> list[str] | None:
    """One circle in a graph, its members in order and the first one again at the end; None without one."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str] | None:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return None
        for target in sorted(graph.get(name, ())):
            if circle := walk(target, [*path, name]):
                return circle
        done.add(name)
        return None

    for start in sorted(graph):
        if circle := walk(start, []):
            return circle
    return None


def test_there_is_no_circle() -> None:
    graph = {name: set(needs(name)) - {name} for name in modules()}
    circle = find_circle(graph)
    assert circle is None, " imports ".join(circle or ())


def test_a_circle_is_found() -> None:
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None
