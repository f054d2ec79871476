"""The rules in the order in which they speak."""

from engine.risk.rules import (
    g01_notional,
    g02_quantity,
    g03_instrument,
    g04_collar,
    g05_passive,
    g06_market,
    g07_spread,
    g08_rate,
    g09_duplicate,
    g10_repetition,
    g11_orders,
    g12_position,
    g13_exposure,
    g14_concentration,
    g15_funds,
    g16_risk,
    g21_quote,
    g23_clock,
    g24_lag,
    g25_session,
    g26_halt,
    g27_jump,
    g28_short,
    g29_selfmatch,
    g30_washsale,
    g31_daytrades,
    g33_fatfinger,
    g36_deadman,
    g37_storage,
    lock,
    mode,
)
from engine.risk.rules.rule import Rule


def own_rules() -> tuple[Rule, ...]:
    """Return our rules. Those without ``openings_only`` also judge orders that shrink a position."""
    always, opening = False, True
    return (
        Rule(mode.CODE, mode.TITLE, mode.check, always),
        Rule(lock.CODE, lock.TITLE, lock.check, opening),
        Rule(g28_short.CODE, g28_short.TITLE, g28_short.check, always),
        Rule(g25_session.CODE, g25_session.TITLE, g25_session.check, always),
        Rule(g26_halt.CODE, g26_halt.TITLE, g26_halt.check, always),
        Rule(g21_quote.CODE, g21_quote.TITLE, g21_quote.check, opening),
        Rule(g06_market.CODE, g06_market.TITLE, g06_market.check, always),
        Rule(g04_collar.CODE, g04_collar.TITLE, g04_collar.check, always),
        Rule(g09_duplicate.CODE, g09_duplicate.TITLE, g09_duplicate.check, always),
        Rule(g29_selfmatch.CODE, g29_selfmatch.TITLE, g29_selfmatch.check, always),
        Rule(g08_rate.CODE, g08_rate.TITLE, g08_rate.check, always),
        Rule(g01_notional.CODE, g01_notional.TITLE, g01_notional.check, opening),
        Rule(g02_quantity.CODE, g02_quantity.TITLE, g02_quantity.check, opening),
        Rule(g03_instrument.CODE, g03_instrument.TITLE, g03_instrument.check, opening),
        Rule(g05_passive.CODE, g05_passive.TITLE, g05_passive.check, opening),
        Rule(g07_spread.CODE, g07_spread.TITLE, g07_spread.check, opening),
        Rule(g10_repetition.CODE, g10_repetition.TITLE, g10_repetition.check, opening),
        Rule(g11_orders.CODE, g11_orders.TITLE, g11_orders.check, opening),
        Rule(g12_position.CODE, g12_position.TITLE, g12_position.check, opening),
        Rule(g13_exposure.CODE, g13_exposure.TITLE, g13_exposure.check, opening),
        Rule(g14_concentration.CODE, g14_concentration.TITLE, g14_concentration.check, opening),
        Rule(g15_funds.CODE, g15_funds.TITLE, g15_funds.check, opening),
        Rule(g16_risk.CODE, g16_risk.TITLE, g16_risk.check, opening),
        Rule(g23_clock.CODE, g23_clock.TITLE, g23_clock.check, opening),
        Rule(g24_lag.CODE, g24_lag.TITLE, g24_lag.check, opening),
        Rule(g27_jump.CODE, g27_jump.TITLE, g27_jump.check, opening),
        Rule(g30_washsale.CODE, g30_washsale.TITLE, g30_washsale.check, opening),
        Rule(g31_daytrades.CODE, g31_daytrades.TITLE, g31_daytrades.check, opening),
        Rule(g33_fatfinger.CODE, g33_fatfinger.TITLE, g33_fatfinger.check, opening),
        Rule(g36_deadman.CODE, g36_deadman.TITLE, g36_deadman.check, opening),
        Rule(g37_storage.CODE, g37_storage.TITLE, g37_storage.check, opening),
    )


REQUIRED = frozenset(rule.code for rule in own_rules())
"""Codes without which the gate denies everything."""
