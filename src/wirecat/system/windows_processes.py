"""The names of Windows' processes by a toolhelp snapshot (tlhelp32.h): all at once, and no rights needed."""

from __future__ import annotations

import sys

from wirecat.system.processes import make_printable

_TH32CS_SNAPPROCESS = 0x2


def windows_process_names() -> dict[int, str]:
    """Pid → name of the program's file, without its path. Empty where it is refused or not Windows."""
    if sys.platform != "win32":
        return {}
    import ctypes
    from ctypes import wintypes

    class ProcessEntry(ctypes.Structure):  # PROCESSENTRY32W
        _fields_ = (
            ("size", wintypes.DWORD),
            ("usage", wintypes.DWORD),
            ("pid", wintypes.DWORD),
            ("heap", ctypes.c_size_t),
            ("module", wintypes.DWORD),
            ("threads", wintypes.DWORD),
            ("parent", wintypes.DWORD),
            ("priority", wintypes.LONG),
            ("flags", wintypes.DWORD),
            ("name", wintypes.WCHAR * 260),
        )

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateToolhelp32Snapshot.restype = wintypes.HANDLE
    kernel.CreateToolhelp32Snapshot.argtypes = (wintypes.DWORD, wintypes.DWORD)
    for step in (kernel.Process32FirstW, kernel.Process32NextW):
        step.argtypes = (wintypes.HANDLE, ctypes.POINTER(ProcessEntry))
    kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    snapshot = kernel.CreateToolhelp32Snapshot(_TH32CS_SNAPPROCESS, 0)
    if snapshot in (None, ctypes.c_void_p(-1).value):
        return {}
    names = {}
    try:
        entry = ProcessEntry(size=ctypes.sizeof(ProcessEntry))
        more = kernel.Process32FirstW(snapshot, ctypes.byref(entry))
        while more:
            names[entry.pid] = make_printable(entry.name)
            more = kernel.Process32NextW(snapshot, ctypes.byref(entry))
    finally:
        kernel.CloseHandle(snapshot)
    return names
