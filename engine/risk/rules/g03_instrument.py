"""G3: what may be traded at all."""

import math

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
    lowest = s.limits.price_floor
    if not s.price >= lowest:
        text = f"{symbol} costs {money(s.price, lowest)}; the lowest price allowed is {money(lowest)}."
        return hard(CODE, text, money(lowest), money(s.price, lowest))
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
    if math.isnan(traded):
        return hard(CODE, f"How much of {symbol} is traded a day is not known; the agent needs {money(floor)}.")
    if not traded >= floor:
        text = f"{symbol} trades {money(traded, floor)} a day; the agent needs {money(floor)}."
        return hard(CODE, text, money(floor), money(traded, floor))
    return NOTHING
