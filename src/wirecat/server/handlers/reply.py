"""Answers each piece by a template, such as ``You told me: {data}``."""

from __future__ import annotations

from wirecat.server.responder import Responder
from wirecat.wire.template import Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Reply(Responder):
    """Answers with the template, ``{data}`` replaced byte for byte by what arrived."""

    def __init__(self, template: Template) -> None:
        self._render = template.render

    def receive(self, data: bytes) -> bytes | None:
        return self._render(data)


def make(argument: str) -> Callable[[], Responder]:
    """A factory of responders for the template ``argument``."""
    template = Template(argument)
    return lambda: Reply(template)
