"""Which parts of the kernel are there, on kernels that list them in different ways."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wirecat.system import kernel_modules


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a kernel with modules."""
    files = {"/proc/modules": b"", "/sys/module/veth": b""}

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "no such file", path)
        return files[path]

    monkeypatch.setattr(kernel_modules, "read_kernel_file", read)
    monkeypatch.setattr(os.path, "exists", lambda path: path in files)
    return files


def test_loaded_module(kernel: dict[str, bytes]) -> None:
    assert kernel_modules.is_loaded("veth", "veth_xmit")
    assert not kernel_modules.is_loaded("nf_tables", "nf_tables_newtable")


def test_built_in_module(kernel: dict[str, bytes]) -> None:
    kernel[f"/lib/modules/{os.uname().release}/modules.builtin"] = b"kernel/net/netfilter/nf_tables.ko\n"
    assert kernel_modules.is_loaded("nf_tables", "nf_tables_newtable")
    assert not kernel_modules.is_loaded("ip_set", "ip_set_type_register")


def test_built_in_module_of_a_kernel_without_lists(kernel: dict[str, bytes]) -> None:
    kernel["/proc/kallsyms"] = b"0000 t nf_tables_newtable\n0000 t other\t[module]\n"
    assert kernel_modules.is_loaded("nf_tables", "nf_tables_newtable")
    assert not kernel_modules.is_loaded("ip_set", "ip_set_type_register")


def test_kernel_without_modules_loads_none() -> None:
    if not Path("/proc/modules").exists():
        assert kernel_modules.is_loaded("no-such-module", "no_such_function")
