"""How many descriptors and threads there may be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wirecat.system import limits
from wirecat.system.limits import descriptor_limit, raise_descriptor_limit, thread_limit

SOURCE = Path(__file__).parents[2] / "src"
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


def in_child(code: str) -> list[int]:
    """Limits are changed in a process of their own. Gives the numbers it prints."""
    result = subprocess.run(
        [sys.executable, "-c", "import resource\nfrom wirecat.system.limits import *\n" + code],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return [int(word) for word in result.stdout.split()]


@posix
def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    code = """
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1000))
print(descriptor_limit(), raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    assert in_child(code) == [64, 1000, 1000, 1000]


@posix
def test_a_limit_is_never_lowered() -> None:
    code = """
resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))
print(raise_descriptor_limit(), descriptor_limit())
"""
    assert in_child(code) == [500, 500]


@posix
def test_where_the_system_refuses_less_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    held = [256, resource.RLIM_INFINITY]

    def setrlimit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[0] > 10_240:
            raise ValueError("more than OPEN_MAX")
        held[:] = wanted

    class MacLike:
        RLIMIT_NOFILE = resource.RLIMIT_NOFILE
        RLIM_INFINITY = resource.RLIM_INFINITY

    MacLike.getrlimit = staticmethod(lambda _: tuple(held))
    MacLike.setrlimit = staticmethod(setrlimit)
    monkeypatch.setattr(limits, "resource", MacLike)
    assert raise_descriptor_limit() == 10_240
    held[0] = resource.RLIM_INFINITY
    assert raise_descriptor_limit() is None


def test_without_the_resource_module_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "resource", None)
    assert descriptor_limit() is None
    assert raise_descriptor_limit() is None
    assert thread_limit(root=str(tmp_path)) is None


def lay_out(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)


def test_the_least_of_the_kernels_limits_is_named(tmp_path: Path, as_root: None) -> None:
    files = {
        "proc/sys/kernel/threads-max": "50000\n",
        "proc/sys/kernel/pid_max": "32768\n",
        "proc/sys/vm/max_map_count": "65530\n",
    }
    assert thread_limit(root=lay_out(tmp_path, files)) == (32765, "vm.max_map_count")
    files["proc/sys/kernel/threads-max"] = "1234\n"
    assert thread_limit(root=lay_out(tmp_path, files)) == (1234, "kernel.threads-max")
    files["proc/sys/kernel/pid_max"] = "99\n"
    assert thread_limit(root=lay_out(tmp_path, files)) == (99, "kernel.pid_max")


@pytest.mark.parametrize(
    ("group", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/pids.max": "max", "a/pids.max": "70"}, 70),  # the one above counts as well
        ("0::/a/b\n", {"a/b/pids.max": "60", "a/pids.max": "70"}, 60),
        ("0::/\n", {"pids.max": "50"}, 50),  # inside a container
        ("0::/../x\n", {"x/pids.max": "40"}, 40),
        ("8:pids:/a\n0::/\n", {"pids/a/pids.max": "30"}, 30),  # version 1
        ("5:cpu,pids:/a\n", {"pids/a/pids.max": "20"}, 20),
        ("0::/a\n", {"a/pids.max": "nonsense"}, None),
        ("nonsense\n", {"pids.max": "10"}, None),
        ("0::/a\n", {}, None),
    ],
)
def test_the_control_group_limits(
    tmp_path: Path, as_root: None, group: str, files: dict[str, str], limit: int | None
) -> None:
    lay_out(
        tmp_path,
        {"proc/self/cgroup": group, **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}},
    )
    expected = None if limit is None else (limit, "the cgroup's pids.max")
    assert thread_limit(root=str(tmp_path)) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads on Linux only")
def test_the_users_own_limit_binds_all_but_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    class Limited:
        RLIMIT_NPROC = resource.RLIMIT_NPROC
        RLIM_INFINITY = resource.RLIM_INFINITY
        getrlimit = staticmethod(lambda _: (77, 77))

    monkeypatch.setattr(limits, "resource", Limited)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert thread_limit(root=str(tmp_path)) == (77, "RLIMIT_NPROC (ulimit -u)")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert thread_limit(root=str(tmp_path)) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads on Linux only")
def test_this_machine_has_a_limit() -> None:
    found = thread_limit()
    assert found is not None and found[0] > 0 and found[1]
