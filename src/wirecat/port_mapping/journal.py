"""What may stand on the router: written down, and known to the reaper, before the router is asked for it.

So whatever ends this process, at whatever moment, another one can take it back.
"""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.port_mapping.mapping import Mapping
from wirecat.port_mapping.reaper import Reaper
from wirecat.port_mapping.records import remove_record, write_record


class Journal:
    """The mappings of one exposure, and ``notes`` for the user about them. Raises OSError where no process can start."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._mappings: dict[tuple[str, str], Mapping] = {}
        self._reaper = Reaper()

    def keep(self, mapping: Mapping) -> None:
        """Remember a mapping, in place of what was known of the same one: by the same protocol, for the same host."""
        self._mappings[mapping.protocol, mapping.host] = mapping
        self._reaper.tell(list(self._mappings.values()))
        try:
            write_record(mapping)
        except (OSError, UsageError) as error:
            self.note(f"the record of {mapping.external} cannot be written: {error.strerror or error}")

    def drop(self, mapping: Mapping) -> None:
        """Forget a mapping that is not there."""
        self._mappings.pop((mapping.protocol, mapping.host), None)
        self._reaper.tell(list(self._mappings.values()))
        try:
            remove_record(mapping)
        except OSError as error:
            self.note(f"the record of {mapping.external} cannot be removed: {error.strerror or error}")

    def last(self, mapping: Mapping) -> Mapping | None:
        """What is known of a mapping."""
        return self._mappings.get((mapping.protocol, mapping.host))

    def note(self, text: str) -> None:
        """Tell the user, once."""
        if text not in self.notes:
            self.notes.append(text)

    def close(self) -> None:
        """End the reaper, which first tries to take back what is still remembered."""
        self._reaper.close()
