"""A tap that writes the bytes that go both ways into a file, as they are and mixed (ncat's ``-o``)."""

from __future__ import annotations

from wirecat.taps.tap import Tap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.taps.output_file import OutputFile


class RawOutputTap(Tap):
    """Observes; the file marks neither direction nor time."""

    def __init__(self, file: OutputFile) -> None:
        self._file = file

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self._file.write(data)
        return None
