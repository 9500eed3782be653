"""The file of the program that a process runs."""

from __future__ import annotations

import os
import sys

_QUERY_LIMITED_INFORMATION = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION (processthreadsapi.h)
_LONGEST = 32768  # characters of a path (fileapi.h)
_SYSTEM = 4  # the process of Windows' kernel, which listens for http.sys


def program_path(pid: int) -> str | None:
    """The absolute path of a process's program, ``System`` for Windows' kernel; None where that cannot be seen."""
    if sys.platform == "win32":
        return "System" if pid == _SYSTEM else _windows_path(pid)
    if sys.platform.startswith("linux"):
        try:
            return os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
        except OSError:
            return None
    from wirecat.system.psutil_sockets import psutil_program_path

    return psutil_program_path(pid)


def _windows_path(pid: int) -> str | None:
    if sys.platform != "win32":
        return None
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    kernel.QueryFullProcessImageNameW.argtypes = (
        wintypes.HANDLE, wintypes.DWORD, wintypes.LPWSTR, ctypes.POINTER(wintypes.DWORD),
    )  # fmt: skip
    kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    process = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
    if not process:
        return None
    try:
        path, length = ctypes.create_unicode_buffer(_LONGEST), wintypes.DWORD(_LONGEST)
        found = kernel.QueryFullProcessImageNameW(process, 0, path, ctypes.byref(length))
        return path.value if found else None
    finally:
        kernel.CloseHandle(process)
