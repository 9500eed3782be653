"""What a firewall does with a packet, where some of its rules may or may not match: every way is followed.

Rules come as chains whose matches have been decided already, each True, False or None. A rule that may match is
followed both ways, and the answer is unknown only where the ways end differently. What is accepted in one base chain
goes on to the next (nft(8)); what is dropped in one is gone.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACCEPT, DROP, REJECT, JUMP, GOTO, RETURN, STRANGE = "accept", "drop", "reject", "jump", "goto", "return", "strange"
"""What a rule does. STRANGE ends the packet's way in one that is not followed here: a redirection, a queue."""

_DEEPEST = 16  # the kernel's own limit of jumps is 16 (NFT_JUMP_STACK_SIZE)


class Rule:
    """A rule: whether it ``matches`` the packet, what it does, the chain it goes to, and how it is written."""

    __slots__ = ("action", "matches", "target", "text")

    def __init__(self, matches: bool | None, action: str, text: str, target: str = "") -> None:
        self.matches = matches
        self.action = action
        self.text = text
        self.target = target


class BaseChain:
    """A chain that the kernel itself calls: in ``table``, before others of a higher ``priority``."""

    __slots__ = ("name", "policy", "priority", "table")

    def __init__(self, table: str, name: str, priority: int, policy: str) -> None:
        self.table = table
        self.name = name
        self.priority = priority
        self.policy = policy


class Answer:
    """What becomes of the packet: ``state`` is "ok", "blocked" or "unknown"; ``rule`` is the text of what decided,
    ``chain`` the base chain in which it did, ``how`` DROP or REJECT for what is blocked.
    """

    __slots__ = ("chain", "how", "rule", "state")

    def __init__(self, state: str, rule: str = "", chain: BaseChain | None = None, how: str = "") -> None:
        self.state = state
        self.rule = rule
        self.chain = chain
        self.how = how


class _Way:
    """The ends that ways through a chain can have: action → the first text that led there. RETURN: it comes back."""

    __slots__ = ("ends",)

    def __init__(self) -> None:
        self.ends: dict[str, str] = {}

    def add(self, action: str, text: str) -> None:
        self.ends.setdefault(action, text)


def decide(bases: Iterable[BaseChain], chains: Mapping[tuple[str, str], list[Rule]]) -> Answer:
    """What becomes of the packet in these base chains; ``chains`` has each chain's rules by (table, name)."""
    doubt: Answer | None = None
    for base in sorted(bases, key=lambda each: each.priority):
        ends = _walk(base.table, base.name, chains, {}, 0).ends
        if RETURN in ends:
            came_back = ends.pop(RETURN)
            if base.policy == ACCEPT:
                ends.setdefault(ACCEPT, came_back)
            else:
                ends.setdefault(base.policy, f"policy {base.policy} of chain {base.name} in table {base.table}")
        stops = [action for action in (DROP, REJECT) if action in ends]
        if stops and len(stops) == len(ends):
            return Answer("blocked", ends[stops[0]], base, stops[0])
        if stops or STRANGE in ends:
            doubt = doubt or Answer("unknown", ends[stops[0]] if stops else ends[STRANGE], base)
    return doubt or Answer("ok")


def _walk(
    table: str, name: str, chains: Mapping[tuple[str, str], list[Rule]], known: dict[str, _Way], depth: int
) -> _Way:
    """The ends of all ways through one chain."""
    if name in known:
        return known[name]
    way = _Way()
    if depth > _DEEPEST or (table, name) not in chains:
        way.add(STRANGE, f"chain {name} in table {table}")
        return way
    for rule in chains[(table, name)]:
        if rule.matches is False:
            continue
        if rule.action in (JUMP, GOTO):
            inner = _walk(table, rule.target, chains, known, depth + 1)
            for action, text in inner.ends.items():
                if action != RETURN:
                    way.add(action, text)
            returns = RETURN in inner.ends
            if rule.action == GOTO and returns:
                way.add(RETURN, inner.ends[RETURN])  # what a goto's chain leaves undecided goes back past this one
            if rule.matches and (rule.action == GOTO or not returns):
                break
        else:
            way.add(rule.action, rule.text)
            if rule.matches:
                break
    else:
        way.add(RETURN, "")
    known[name] = way
    return way
