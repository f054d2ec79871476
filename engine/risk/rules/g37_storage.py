"""G37: no new entries when they could soon not be recorded."""

from engine.risk.say import NOTHING, Findings, figure, hard, warn
from engine.risk.situation import Situation

CODE = "G37"
TITLE = "Storage"


def check(s: Situation) -> Findings:
    free = s.vitals.disk_free_mb
    if s.auto and s.vitals.slow_commits >= s.common.commit_slow_times:
        return hard(CODE, "The journal is slow; the agent waits.", s.common.commit_slow_times, s.vitals.slow_commits)
    stop, low = s.common.disk_stop_mb, s.common.disk_warn_mb
    if free is None:
        text = "How much of the disk is free is not known."
        return hard(CODE, text, stop) if s.auto else warn(CODE, text, stop)
    if not free >= stop:
        return hard(CODE, f"Only {figure(free, stop)} MB of disk are free; no new entries.", stop, figure(free, stop))
    if free < low:
        return warn(CODE, f"Only {figure(free, low)} MB of disk are free.", low, figure(free, low))
    return NOTHING
