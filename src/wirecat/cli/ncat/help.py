"""What ``-h`` prints, read off the table of options."""

from __future__ import annotations

from wirecat.cli.ncat.messages import NCAT_VERSION
from wirecat.cli.ncat.options import OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.getopt import Option

_COLUMN = 29  # where the descriptions begin


def help_text() -> str:
    """The whole help."""
    from wirecat._version import __version__

    lines = [
        f"Ncat {NCAT_VERSION} (wirecat {__version__})",
        "Usage: ncat [options] [hostname] [port]",
        "",
        "Options taking a time assume seconds. Append 'ms' for milliseconds,",
        "'s' for seconds, 'm' for minutes, or 'h' for hours (e.g. 500ms).",
    ]
    for option in OPTIONS:
        if not option.hidden:
            spelt = f"  {spelling(option)} "
            lines.append(f"{spelt:<{_COLUMN}}{option.help}")
    lines += ["", "See the ncat(1) manpage for full options, descriptions and usage examples", ""]
    return "\n".join(lines)


def spelling(option: Option) -> str:
    """``-l, --listen`` and what it takes; a long name alone stands below the long names."""
    if option.short and option.long:
        name = f"-{option.short}, --{option.long}"
    else:
        name = f"-{option.short}" if option.short else f"    --{option.long}"
    return f"{name} <{option.value}>" if option.value else name
