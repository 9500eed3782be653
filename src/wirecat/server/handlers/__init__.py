"""The table of built-in handlers: one file each; help and error messages are read off the rows."""

from __future__ import annotations

from wirecat.immutable import Immutable


class HandlerRow(Immutable):
    """A built-in handler: its name, its module, a line of help, an example; whether it needs an ``:ARGUMENT``."""

    __slots__ = ("argument", "example", "help", "module", "name")

    name: str
    module: str
    help: str
    example: str
    argument: str

    def __init__(self, name: str, module: str, help: str, example: str, argument: str = "") -> None:
        self._set(name=name, module=module, help=help, example=example, argument=argument)


BUILT_IN = {
    row.name: row
    for row in (
        HandlerRow("echo", "wirecat.server.handlers.echo", "sends back what it gets (RFC 862)", "echo"),
        HandlerRow(
            "reply", "wirecat.server.handlers.reply", "answers by a template in which {data} is what arrived",
            "reply:'You told me: {data}'", "TEMPLATE",
        ),
        HandlerRow("discard", "wirecat.server.handlers.discard", "takes everything, answers nothing (RFC 863)", "discard"),
        HandlerRow("daytime", "wirecat.server.handlers.daytime", "sends the date and time, then closes (RFC 867)", "daytime"),
        HandlerRow("chargen", "wirecat.server.handlers.chargen", "sends characters without end (RFC 864)", "chargen"),
    )
}  # fmt: skip
