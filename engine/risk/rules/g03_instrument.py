"""G3: what may be traded at all."""

from engine.model.instrument import InstrumentKind
from engine.risk.say import NOTHING, Findings, hard, money
from engine.risk.situation import Situation

CODE = "G3"
TITLE = "Instrument"
FOR_AGENT = frozenset({InstrumentKind.STOCK, InstrumentKind.ETF})


def check(s: Situation) -> Findings:
    instrument, symbol = s.instrument, s.symbol
    if symbol in s.settings.restricted_list:
        return hard(CODE, f"{symbol} is on the restricted list.")
    if instrument.kind is InstrumentKind.INDEX:
        return hard(CODE, f"{symbol} is an index; it cannot be traded.")
    if s.account is not None and s.account.currency != instrument.currency:
        text = (
            f"The account is kept in {s.account.currency}, {symbol} trades in {instrument.currency}: without exchange "
            "rates its limits cannot be measured."
        )
        return hard(CODE, text, s.account.currency, instrument.currency)
    if not s.price >= s.limits.price_floor:
        text = f"{symbol} costs {money(s.price)}; the lowest price allowed is {money(s.limits.price_floor)}."
        return hard(CODE, text, money(s.limits.price_floor), money(s.price))
    return _for_agent(s) if s.auto else NOTHING


def _for_agent(s: Situation) -> Findings:
    instrument, symbol = s.instrument, s.symbol
    if instrument.kind not in FOR_AGENT:
        return hard(CODE, f"The agent trades stocks and ETFs; {symbol} is {instrument.kind.value}.")
    if instrument.currency not in s.settings.currencies:
        return hard(CODE, f"The agent does not trade in {instrument.currency}.")
    if instrument.leveraged and not s.settings.allow_leveraged:
        return hard(CODE, f"{symbol} is a leveraged or inverse fund.")
    if s.settings.allow_list and symbol not in s.settings.allow_list:
        return hard(CODE, f"{symbol} is not on the agent's allow list.")
    traded, floor = instrument.adv20 * s.price, s.agent.adv_notional_floor
    if not traded >= floor:
        text = f"{symbol} trades {money(traded)} a day; the agent needs {money(floor)}."
        return hard(CODE, text, money(floor), money(traded))
    return NOTHING
