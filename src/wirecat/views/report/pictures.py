"""The table of a report's pictures: each is a function of a story, and may be had alone."""

from __future__ import annotations

from wirecat.views.report.picture_bytes import bytes_picture
from wirecat.views.report.picture_latency import latency_picture
from wirecat.views.report.picture_sequence import sequence_picture
from wirecat.views.report.picture_sockets import sockets_picture
from wirecat.views.report.picture_terminal import terminal_picture
from wirecat.views.report.picture_timeline import timeline_picture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wirecat.views.report.sheet import Sheet

PICTURES: Mapping[str, Callable[..., Sheet]] = {
    "terminal": terminal_picture,
    "sequence": sequence_picture,
    "timeline": timeline_picture,
    "bytes": bytes_picture,
    "latency": latency_picture,
    "sockets": sockets_picture,
}
"""By name, in the order in which a page shows them. Each takes (story, words, width) and gives a sheet."""

LAPTOP, PHONE = 920, 360
"""The two widths, in pixels, that a page has each picture in."""
