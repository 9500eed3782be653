"""Whether a part of the Linux kernel is there without loading it: asking for what is not loaded makes the kernel load it."""

from __future__ import annotations

import os

from wirecat.system.kernel_file import read_kernel_file


def is_loaded(name: str, symbol: str) -> bool:
    """Whether module ``name`` is loaded or built in; ``symbol`` is a function of it, for kernels that do not list
    what is built in.

    A kernel without modules can load none: there the answer is True, and the request itself fails where the part is missing.
    """
    if not os.path.exists("/proc/modules") or os.path.exists(f"/sys/module/{name}"):
        return True
    try:
        built_in = read_kernel_file(f"/lib/modules/{os.uname().release}/modules.builtin")
    except OSError:
        return _has_symbol(symbol)
    return f"/{name}.ko".encode() in built_in


def _has_symbol(symbol: str) -> bool:
    try:
        return f" {symbol}\n".encode() in read_kernel_file("/proc/kallsyms")
    except OSError:
        return False
