"""G11: opening orders per exchange date and at work at once."""

from engine.risk.say import NOTHING, Findings, hard
from engine.risk.situation import Situation

CODE = "G11"
TITLE = "Number of orders"


def check(s: Situation) -> Findings:
    most = s.limits.orders_per_day
    if s.orders_today >= most:
        return hard(CODE, f"{s.orders_today} orders were sent today; the limit is {most}.", most, s.orders_today)
    most = s.limits.open_orders
    if s.open_orders >= most:
        return hard(CODE, f"{s.open_orders} orders are at work; the limit is {most}.", most, s.open_orders)
    here = s.line.openings
    most = s.limits.open_orders_per_symbol
    if here >= most:
        return hard(CODE, f"{here} orders of {s.symbol} are at work; the limit is {most}.", most, here)
    return NOTHING
