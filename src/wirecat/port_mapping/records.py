"""Records of the mappings that this user's programs keep: so that another can list them, and take back what was left.

A file each, in ``$XDG_STATE_HOME/wirecat/mappings`` (Linux; else the system's place for such things). A record goes
with its mapping; what is there though its lease has run out, or its process has gone, was left by a crash.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from wirecat.port_mapping.mapping import Mapping, read_mapping
from wirecat.system.private_file import write_private
from wirecat.system.processes import process_start

_LONGEST = 65536


def folder() -> Path:
    """Where the records are."""
    state = os.environ.get("XDG_STATE_HOME")
    if state:
        base = Path(state)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path.home() / ".local" / "state"
    return base / "wirecat" / "mappings"


def _path(mapping: Mapping) -> Path:
    words = (mapping.gateway, mapping.host, str(mapping.port), mapping.protocol, mapping.token or "0")
    name = "_".join("".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in word) for word in words)
    return folder() / f"{name}.json"


def write_record(mapping: Mapping) -> None:
    """Write or replace the record of a mapping, for its owner's eyes only: PCP's nonce is a secret. Raises OSError,
    and UsageError for a place that another user could have chosen."""
    path = _path(mapping)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(str(path), json.dumps(mapping.fields()).encode(), step="record of a forward")


def remove_record(mapping: Mapping) -> None:
    """Remove the record of a mapping, if there is one."""
    _path(mapping).unlink(missing_ok=True)


def read_records() -> list[Mapping]:
    """All records that can be read, the oldest first."""
    try:
        paths = sorted(folder().glob("*.json"))
    except OSError:
        return []
    found = []
    for path in paths:
        try:
            if path.stat().st_size <= _LONGEST:
                found.append(read_mapping(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            continue  # gone meanwhile, or none of ours
    return found


def is_kept(mapping: Mapping) -> bool:
    """Whether its lease still runs."""
    return not mapping.expires or mapping.expires > time.time()


def is_alive(mapping: Mapping) -> bool:
    """Whether the process that kept it is still there, and not another with its number."""
    if mapping.pid <= 0:
        return False
    if sys.platform == "win32":  # there, signal 0 would end the process
        from wirecat.system.windows_processes import windows_process_names

        return mapping.pid in windows_process_names()
    if mapping.started and process_start(mapping.pid) not in ("", mapping.started):
        return False
    try:
        os.kill(mapping.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
