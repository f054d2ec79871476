"""G13: gross and net exposure, number of positions."""

from engine.model.market import Side
from engine.risk.rules.g12_position import after
from engine.risk.say import NOTHING, Findings, above, hard, percent
from engine.risk.situation import Situation

CODE = "G13"
TITLE = "Exposure"


def check(s: Situation) -> Findings:
    book, symbol = s.exposure, s.symbol
    unit = max(s.price, s.mid) * float(s.instrument.multiplier)
    gross = s.of_equity(book.gross - book.of(symbol) + after(s) * unit)
    most = s.limits.gross_percent * s.ramp
    if above(gross, most):
        text = f"All positions and orders would be {percent(gross, most)} of equity; the limit is {percent(most)}."
        return hard(CODE, text, percent(most), percent(gross, most))
    net = s.of_equity(abs(_net(s, s.quantity * unit)))
    most = s.limits.net_percent * s.ramp
    if above(net, most):
        text = f"Longs less shorts would be {percent(net, most)} of equity; the limit is {percent(most)}."
        return hard(CODE, text, percent(most), percent(net, most))
    symbols, top = book.symbols + (book.of(symbol) == 0.0), max(1, int(s.limits.positions * s.ramp))
    if symbols > top:
        return hard(CODE, f"There would be {symbols} positions; the limit is {top}.", top, symbols)
    return NOTHING


def _net(s: Situation, value: float) -> float:
    """Return the net with this order of ``value`` and without the one it replaces."""
    here = s.exposure.lines.get(s.symbol, s.line)
    unit = here.price * here.multiplier
    if s.request.side is Side.BUY:
        return s.exposure.long - (here.buys - s.line.buys) * unit + value
    return s.exposure.short + (here.sells - s.line.sells) * unit - value
