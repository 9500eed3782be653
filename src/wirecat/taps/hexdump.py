"""A tap that writes what goes both ways into a file as hex lines (ncat's ``-x``)."""

from __future__ import annotations

from wirecat.taps.tap import Tap
from wirecat.wire.hexdump import hexdump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.taps.output_file import OutputFile


class HexdumpTap(Tap):
    """Observes; each chunk is a dump of its own, both directions in one file in the order they went by."""

    def __init__(self, file: OutputFile) -> None:
        self._file = file

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self._file.write(hexdump(data))
        return None
