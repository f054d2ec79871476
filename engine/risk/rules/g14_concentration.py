"""G14: sector, unknown sector, correlated cluster."""

from engine.risk.rules.g12_position import after
from engine.risk.say import NOTHING, Findings, above, hard, percent, soft
from engine.risk.situation import Situation

CODE = "G14"
TITLE = "Concentration"


def check(s: Situation) -> Findings:
    deny = hard if s.auto else soft
    unit = max(s.price, s.mid) * float(s.instrument.multiplier)
    mine_after, mine_now = after(s) * unit, s.exposure.of(s.symbol)
    sector = s.instrument.sector
    share = s.of_equity(s.exposure.by_sector.get(sector, 0.0) - mine_now + mine_after)
    most = (s.limits.sector_percent if sector else s.limits.unknown_sector_percent) * s.ramp
    found: Findings = NOTHING
    if above(share, most):
        name = f"Sector {sector}" if sector else "Symbols without a known sector"
        found = deny(
            CODE,
            f"{name} would be {percent(share, most)} of equity; the limit is {percent(most)}.",
            percent(most),
            percent(share, most),
        )
    if len(s.cluster) > 1:
        others = sum(s.exposure.of(symbol) for symbol in s.cluster if symbol != s.symbol)
        share, most = s.of_equity(others + mine_after), s.limits.cluster_percent * s.ramp
        if above(share, most):
            much, limit = percent(share, most), percent(most)
            text = f"Symbols that move with {s.symbol} would be {much} of equity; the limit is {limit}."
            found += deny(CODE, text, limit, much)
    return found
