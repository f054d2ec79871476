"""G31: day trades left, where the broker counts them. A negative count means unlimited."""

from engine.risk.say import NOTHING, Findings, soft, warn
from engine.risk.situation import Situation

CODE = "G31"
TITLE = "Day trades"


def check(s: Situation) -> Findings:
    regime = s.settings.day_trade_regime
    left = s.account.day_trades_remaining if s.account is not None else None
    if regime == "intraday_margin" or (left is not None and left < 0):
        return NOTHING
    if left is None:
        if regime == "legacy_pdt":
            return (soft if s.auto else warn)(CODE, "The broker does not say how many day trades are left.")
        return NOTHING
    reserve = s.common.day_trades_reserve
    if left <= reserve:
        text = f"Day trades left: {left}, kept in reserve: {reserve}."
        return (soft if s.auto else warn)(CODE, text, reserve, left)
    return NOTHING
