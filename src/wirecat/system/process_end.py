"""How a process ended, in words: its exit code, or the signal that killed it."""

from __future__ import annotations

import signal


def process_end(code: int) -> str:
    """``code`` as ``subprocess.Popen.returncode`` has it: less than 0 is the number of a signal.

    >>> process_end(3), process_end(-9)
    ('ended with exit code 3', 'was killed by signal 9 (SIGKILL)')
    """
    if code >= 0:
        return f"ended with exit code {code}"
    name = next((f" ({each.name})" for each in signal.Signals if each == -code), "")  # those for real time have none
    return f"was killed by signal {-code}{name}"
