"""G30: buying back within the wash-sale window after a loss."""

from engine.bus.clock import SECOND
from engine.model.market import Side
from engine.risk.say import NOTHING, Findings, soft, warn
from engine.risk.situation import Situation

CODE = "G30"
TITLE = "Wash sale"


def check(s: Situation) -> Findings:
    if not s.last_loss_ns or s.request.side is not Side.BUY:
        return NOTHING
    days = (s.now - s.last_loss_ns) / (86_400 * SECOND)
    most = s.common.wash_sale_days
    if days > most:
        return NOTHING
    text = f"{s.symbol} was sold at a loss {days:.0f} days ago; the loss may not count for tax."
    if s.auto:
        return soft(CODE, text, f"{most:g}", f"{days:.0f}") if s.settings.wash_sale_guard else NOTHING
    return warn(CODE, text, f"{most:g}", f"{days:.0f}")
