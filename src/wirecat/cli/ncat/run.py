"""The dialect's beginning: options read, combinations checked, the mode that they ask for called."""

from __future__ import annotations

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.checks import check
from wirecat.cli.ncat.endings import SUCCESS, TROUBLE, Ending
from wirecat.cli.ncat.messages import Voice
from wirecat.cli.ncat.settings import read
from wirecat.cli.signalled import Signalled
from wirecat.errors import WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.cli.getopt import Option
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.settings import Settings

    Mode = Callable[[Settings, Operands, Voice, Environment], int]


class _Told(Exception):
    """The help or the version was asked for, and has been printed."""


def run(arguments: list[str], environment: Environment) -> int:
    """Do what ncat would do with ``arguments``; the exit code is ncat's."""
    voice = Voice(environment)

    def at_once(option: Option) -> None:
        if option.sets == "help":
            from wirecat.cli.ncat.help import help_text

            environment.write(help_text())
        else:
            voice.say(messages.version())
        raise _Told

    try:
        settings = read(arguments, at_once)
        voice.level = settings.verbose
        # The version comes before any complaint about combinations.
        voice.tell(messages.version())
        if settings.proxy_auth is None and "NCAT_PROXY_AUTH" in environment.variables:
            from wirecat.secret import Secret

            settings.proxy_auth = Secret(environment.variables["NCAT_PROXY_AUTH"])
        operands = check(settings, voice)
        return _mode(settings)(settings, operands, voice, environment)
    except _Told:
        return SUCCESS
    except Ending as ending:
        if ending.complaint:
            voice.line(ending.complaint)
        if ending.text:
            voice.say(ending.text)
        return ending.code
    except Signalled as ending:
        return ending.code
    except WirecatError as error:  # our own standard output, a disk that is full: none of it is the network's fault
        voice.say(f"{error.message}.")
        return TROUBLE


def _mode(settings: Settings) -> Mode:
    """The mode's function; nothing of the others is imported."""
    if settings.listen:
        from wirecat.cli.ncat.reception import listen

        return listen
    if settings.zero:
        from wirecat.cli.ncat.zero import probe

        return probe
    from wirecat.cli.ncat.connect import connect

    return connect
