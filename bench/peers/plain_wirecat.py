"""wirecat as it is without the extra [fast]: ``plain_wirecat.py VERB …``, on asyncio's own event loop."""

from __future__ import annotations

import sys

from wirecat.__main__ import command

sys.modules["uvloop"] = None  # type: ignore[assignment]
sys.exit(command())
