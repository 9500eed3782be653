"""What to say of a recording that does not hold everything."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.recording.recorder import Recorder


def shortfall(recorder: Recorder) -> str:
    """A line about a recorder that is closed and could not keep all; empty where it could."""
    if recorder.lost_chunks:
        why = f" ({recorder.failure})" if recorder.failure else ""
        return f"{recorder.path}: {recorder.lost_bytes} bytes in {recorder.lost_chunks} pieces were not recorded{why}"
    return f"{recorder.path}: {recorder.disk_failure}; not all is recorded" if recorder.disk_failure else ""
