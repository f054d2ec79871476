"""G23: our clock against the broker's, and steps of it."""

from engine.bus.clock import SECOND
from engine.risk.say import NOTHING, Findings, above, hard, warn
from engine.risk.situation import Situation

CODE = "G23"
TITLE = "Clock"


def check(s: Situation) -> Findings:
    skew, step = s.vitals.clock_skew_s, s.vitals.clock_step_ns
    limits = s.common
    if skew is None:
        if s.live and s.auto:
            return hard(CODE, "The broker's clock is not known.")
        skew = 0.0
    if above(abs(skew), limits.clock_stop_s):
        return hard(CODE, f"The clock is {abs(skew):.0f} s off the broker's; no orders.", limits.clock_stop_s, skew)
    if s.auto and above(abs(skew), limits.clock_auto_s):
        return hard(CODE, f"The clock is {abs(skew):.1f} s off the broker's.", limits.clock_auto_s, skew)
    if s.auto and step and s.now - step < limits.clock_step_pause_s * SECOND:
        return hard(CODE, "The clock was set a moment ago; the agent waits.", f"{limits.clock_step_pause_s:g} s")
    if above(abs(skew), limits.clock_warn_s):
        return warn(CODE, f"The clock is {abs(skew):.1f} s off the broker's.", limits.clock_warn_s, skew)
    return NOTHING
