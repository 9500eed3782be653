"""The table of built-in handlers: one file each; help and error messages are read off the rows."""

from __future__ import annotations

from wirecat.immutable import Immutable

RESPONDER, FUNCTION = "responder", "function"


class HandlerRow(Immutable):
    """A built-in handler: its name, its module, a line of help, an example; whether it needs an ``:ARGUMENT``.

    ``make(argument)`` of the module gives, by ``colour``, a factory of responders, or a function
    ``handler(connection)`` whose state the connections of one server share. An ``optional`` argument may be left out.
    ``guarded`` tells that it lets clients do more than talk: to open it to others than this PC takes a word more.
    ``datagrams`` tells whether it may answer over UDP, where the sender of a datagram can be forged. ``shared`` tells
    what its clients share, and so need one process for; where the argument is optional, only with it. ``has_options``
    tells that it takes options behind its name (``proxy?body=10``): then it is ``make(argument, options)``.
    """

    __slots__ = (
        "argument", "colour", "datagrams", "example", "guarded", "has_options", "help", "module", "name", "optional",
        "shared",
    )  # fmt: skip

    name: str
    module: str
    help: str
    example: str
    argument: str
    colour: str
    optional: bool
    guarded: bool
    datagrams: bool
    shared: str
    has_options: bool

    @property
    def pattern(self) -> str:
        """How it is written: ``echo``, ``reply:TEMPLATE``, ``proxy[:USER:PASSWORD]``."""
        argument = f":{self.argument}" if self.argument else ""
        return f"{self.name}[{argument}]" if self.optional else f"{self.name}{argument}"

    def __init__(
        self,
        name: str,
        module: str,
        help: str,
        example: str,
        argument: str = "",
        colour: str = RESPONDER,
        optional: bool = False,
        guarded: bool = False,
        datagrams: bool = False,
        shared: str = "",
        has_options: bool = False,
    ) -> None:
        self._set(
            name=name, module=module, help=help, example=example, argument=argument, colour=colour, optional=optional,
            guarded=guarded, datagrams=datagrams, shared=shared, has_options=has_options,
        )  # fmt: skip


BUILT_IN = {
    row.name: row
    for row in (
        HandlerRow(
            "echo", "wirecat.server.handlers.echo", "sends back what it gets (RFC 862)", "echo", datagrams=True,
        ),
        HandlerRow(
            "reply", "wirecat.server.handlers.reply", "answers by a template in which {data} is what arrived",
            "reply:'You told me: {data}'", "TEMPLATE", datagrams=True,
        ),
        HandlerRow(
            "discard", "wirecat.server.handlers.discard", "takes everything, answers nothing (RFC 863)", "discard",
            datagrams=True,
        ),
        HandlerRow(
            "daytime", "wirecat.server.handlers.daytime", "sends the date and time, then closes (RFC 867)", "daytime",
            datagrams=True,
        ),
        HandlerRow("chargen", "wirecat.server.handlers.chargen", "sends characters without end (RFC 864)", "chargen"),
        HandlerRow(
            "chat", "wirecat.server.handlers.chat", "lets the clients talk to each other, with names", "chat",
            colour=FUNCTION, shared="what they say to each other",
        ),
        HandlerRow(
            "broker", "wirecat.server.handlers.broker", "sends what one client sends to all the others", "broker",
            colour=FUNCTION, shared="what they say to each other",
        ),
        HandlerRow(
            "exec", "wirecat.server.handlers.exec", "runs a program for each client, joined to it", "exec:'sort -r'",
            "COMMAND", colour=FUNCTION, guarded=True, datagrams=True,
        ),
        HandlerRow(
            "proxy", "wirecat.server.handlers.proxy", "an HTTP proxy; proxy:@FILE wants its USER:PASSWORD", "proxy",
            "USER:PASSWORD", colour=FUNCTION, optional=True, guarded=True,
            shared="what they were asked when they said who they are", has_options=True,
        ),
    )
}  # fmt: skip


def find_row(spec: str) -> tuple[HandlerRow | None, str, str]:
    """The row of the built-in handler that ``spec`` names (None: there is none), its options and its argument.

    >>> row, options, argument = find_row("proxy?body=10&tunnel=0:USER:PASSWORD")
    >>> row.name, options, argument
    ('proxy', 'body=10&tunnel=0', 'USER:PASSWORD')
    """
    start, _, argument = spec.partition(":")
    name, mark, options = start.partition("?")
    row = BUILT_IN.get(name)
    return (None if mark and row is not None and not row.has_options else row), options, argument
