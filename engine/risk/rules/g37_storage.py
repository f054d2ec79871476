"""G37: no new entries when they could soon not be recorded."""

from engine.risk.say import NOTHING, Findings, hard, warn
from engine.risk.situation import Situation

CODE = "G37"
TITLE = "Storage"


def check(s: Situation) -> Findings:
    free = s.vitals.disk_free_mb
    if s.auto and s.vitals.slow_commits >= s.common.commit_slow_times:
        return hard(CODE, "The journal is slow; the agent waits.", s.common.commit_slow_times, s.vitals.slow_commits)
    if free is None:
        return NOTHING
    if not free >= s.common.disk_stop_mb:
        return hard(CODE, f"Only {free:.0f} MB of disk are free; no new entries.", s.common.disk_stop_mb, f"{free:.0f}")
    if free < s.common.disk_warn_mb:
        return warn(CODE, f"Only {free:.0f} MB of disk are free.", s.common.disk_warn_mb, f"{free:.0f}")
    return NOTHING
