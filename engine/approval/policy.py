"""What happens with a suggestion at each level of autonomy: a pure function."""

from collections.abc import Set
from enum import Enum
from typing import NamedTuple

from engine.model.decision import Autonomy, Denial, Mode, Verdict

RATE, WHAT_IF, QUOTE = "G8", "WHATIF", "G21"


PASSING = frozenset({RATE, WHAT_IF, QUOTE})
"""What keeps an order of the agent back for a while only: the rate of messages, a broker being asked, an old quote."""


class Action(Enum):
    NOTHING = "nothing"
    """It is not even shown: the agent only observes."""
    SHOW = "show"
    """It is shown; the person trades by hand."""
    ASK = "ask"
    SEND = "send"
    WAIT = "wait"
    """What is against it passes by itself."""
    DENY = "deny"


class Decision(NamedTuple):
    action: Action
    reason: str = ""
    denials: tuple[Denial, ...] = ()


def may_send(autonomy: Autonomy, mode: Mode) -> bool:
    """Say whether the agent may send anything by itself at all."""
    return mode is Mode.AUTO and autonomy in (Autonomy.AUTO, Autonomy.ASK_ABOVE_LIMITS)


def decide(
    autonomy: Autonomy,
    mode: Mode,
    *,
    person: Verdict,
    agent: Verdict | None = None,
    beyond: Denial | None = None,
) -> Decision:
    """Decide what to do with a suggestion.

    ``person`` and ``agent`` are the gate's verdicts for an order that a person approved and one the agent sends;
    ``agent`` is None when nothing may be sent without a person. ``beyond`` is what the mandate (or the small limits)
    objects.
    """
    if autonomy is Autonomy.OBSERVE:
        return Decision(Action.NOTHING)
    if agent is not None and may_send(autonomy, mode):
        if agent.cleared and beyond is None:
            return Decision(Action.SEND)
        if _passes(agent, PASSING) and (beyond is None or autonomy is Autonomy.AUTO):
            return Decision(Action.WAIT, denials=agent.denials)
        if autonomy is Autonomy.AUTO and not agent.cleared:
            return Decision(Action.DENY, denials=agent.denials)
    hard = tuple(denial for denial in person.denials if denial.hard)
    if hard and _passes(person, {WHAT_IF, RATE}):
        return Decision(Action.WAIT, denials=person.denials)
    if hard:
        return Decision(Action.DENY, denials=person.denials)
    if autonomy is Autonomy.SUGGEST:
        return Decision(Action.SHOW)
    if beyond is not None:
        return Decision(Action.ASK, beyond.text)
    if agent is not None and agent.denials:
        return Decision(Action.ASK, agent.denials[0].text)
    if person.denials:
        return Decision(Action.ASK, person.denials[0].text)
    return Decision(Action.ASK, "every order is asked" if autonomy is Autonomy.ASK else f"the mode is {mode.value}")


def _passes(verdict: Verdict, codes: Set[str]) -> bool:
    """Say whether all that forbids it passes by itself. What a person may confirm forbids nothing: it is asked then."""
    against = {denial.code for denial in verdict.denials if denial.hard}
    return bool(against) and against <= codes
