"""G15: buying power. By the broker's what-if; a live opening without one is refused unless set otherwise."""

from engine.model.market import Side
from engine.model.money import finite
from engine.risk.say import NOTHING, Findings, above, hard, money, percent
from engine.risk.situation import Situation

CODE = "G15"
PENDING = "WHATIF"
"""Not a no for good: the answer is on its way."""
TITLE = "Buying power"


def check(s: Situation) -> Findings:
    account = s.account
    if account is None:
        return hard(CODE, "The account's values are not known.")
    if s.what_if is not None and s.what_if.pending:
        return hard(PENDING, "The broker is being asked what margin this order would need.")
    if s.what_if is not None and s.what_if.refused:
        return hard(CODE, f"The broker would refuse the order: {s.what_if.refused.rstrip('.')}.")
    if not account.margin_account:
        return _cash(s)
    if account.available_funds is None or not finite(account.available_funds):
        return hard(CODE, "The broker did not say how much is available.")
    if s.what_if is None and s.live and s.settings.what_if == "required":
        return hard(CODE, "The broker does not say what margin this order would need (risk.what_if).")
    return _available(s, float(account.available_funds)) or _cushion(s)


def _cash(s: Situation) -> Findings:
    assert s.account is not None
    settled = s.account.settled_cash
    if settled is None or not finite(settled):
        return hard(CODE, "The settled cash of the account is not known.")
    if s.request.side is Side.SELL:
        return hard(CODE, "A cash account cannot sell short.")
    usable = float(settled) * s.limits.funds_percent / 100.0
    need = s.notional + waiting(s)
    if above(need, usable):
        text = f"The order needs {money(need, usable)}; {money(usable)} of settled cash may be used."
        return hard(CODE, text, money(usable), money(need, usable))
    return NOTHING


def waiting(s: Situation) -> float:
    """Return the cash that buys of all symbols bind which are at work or reserved, at their marks."""
    others = [line for line in s.exposure.lines.values() if line.symbol != s.symbol]
    here = max(0.0, s.line.buys) * max(s.price, s.mid) * s.line.multiplier
    return here + sum(line.buys * line.price * line.multiplier for line in others)


def needed(s: Situation) -> float:
    """Return the initial margin the order binds, NaN when the broker's answer is not a number."""
    assert s.account is not None
    if s.what_if is not None:
        # Before and after of one answer, where the broker tells both: the account's own figure may be minutes old.
        after, now = s.what_if.initial_margin_after, s.what_if.initial_margin_before
        now = s.account.initial_margin if now is None else now
        if after is None or now is None or not finite(after) or not finite(now):
            return float("nan")
        return max(0.0, float(after - now))
    if s.live:
        return s.notional
    return s.notional * s.common.initial_margin_rate


def _available(s: Situation, available: float) -> Findings:
    need, usable = needed(s), available * s.limits.funds_percent / 100.0
    if need != need:
        return hard(CODE, "The broker's what-if answer has no usable margin figure.")
    if above(need, usable):
        text = f"The order binds {money(need, usable)}; {money(usable)} of the available funds may be used."
        return hard(CODE, text, money(usable), money(need, usable))
    return NOTHING


def _cushion(s: Situation) -> Findings:
    assert s.account is not None
    if s.what_if is not None:
        equity, bound = s.what_if.equity_after, s.what_if.maintenance_margin_after
        left = float("nan")
        if equity is not None and bound is not None and finite(equity) and finite(bound):
            left = float(equity - bound)
    else:
        excess = s.account.excess_liquidity
        left = float(excess) - needed(s) if excess is not None and finite(excess) else float("nan")
    if left != left:
        return hard(CODE, "The account's excess liquidity is not known.")
    share, least = s.of_equity(left), s.limits.cushion_percent
    if above(least, share):
        text = f"The margin cushion would be {percent(share, least)} of equity; at least {percent(least)} must remain."
        return hard(CODE, text, percent(least), percent(share, least))
    return NOTHING
