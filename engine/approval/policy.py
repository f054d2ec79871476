"""What happens with a suggestion at each level of autonomy: a pure function."""

from enum import Enum
from typing import NamedTuple

from engine.model.decision import Autonomy, Denial, Mode, Verdict

RATE, WHAT_IF = "G8", "WHATIF"


class Action(Enum):
    NOTHING = "nothing"
    """It is not even shown: the agent only observes."""
    SHOW = "show"
    """It is shown; the person trades by hand."""
    ASK = "ask"
    SEND = "send"
    DENY = "deny"


class Decision(NamedTuple):
    action: Action
    reason: str = ""
    denials: tuple[Denial, ...] = ()


def waits(agent: Verdict | None, person: Verdict) -> bool:
    """Whether what speaks against it passes by itself: the message rate, or a broker that is being asked."""
    codes = {denial.code for denial in (agent or person).denials}
    return bool(codes) and codes <= ({RATE, WHAT_IF} if agent is not None else {WHAT_IF})


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
    ``agent`` is None when it may send nothing. ``beyond`` is what the mandate (or the small limits) objects.
    """
    if autonomy is Autonomy.OBSERVE:
        return Decision(Action.NOTHING)
    if agent is not None and may_send(autonomy, mode):
        if agent.cleared and beyond is None:
            return Decision(Action.SEND)
        if autonomy is Autonomy.AUTO and not agent.cleared:
            return Decision(Action.DENY, denials=agent.denials)
    hard = tuple(denial for denial in person.denials if denial.hard)
    if hard:
        return Decision(Action.DENY, denials=person.denials)
    if autonomy is Autonomy.SUGGEST:
        return Decision(Action.SHOW)
    if beyond is not None and agent is not None:
        return Decision(Action.ASK, beyond.text)
    if agent is not None and agent.denials:
        return Decision(Action.ASK, agent.denials[0].text)
    if person.denials:
        return Decision(Action.ASK, person.denials[0].text)
    return Decision(Action.ASK, "every order is asked" if autonomy is Autonomy.ASK else f"the mode is {mode.value}")
