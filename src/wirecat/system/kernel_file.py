"""Read a file that the kernel makes up as it is read, as those of /proc and /sys are (proc(5))."""

from __future__ import annotations


def read_kernel_file(path: str) -> bytes:
    """All of the file, unbuffered. Raises OSError."""
    # pathlib would cost its import, and a process scan a Path per process.
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        return file.read()
