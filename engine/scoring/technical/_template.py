"""A strategy in a package of yours: copy this file into it and name it in your ``pyproject.toml``::

    [project.entry-points."market_agent.strategies"]
    quiet_rise = "my_package.quiet_rise:TEXT"

The entry point's name is the strategy's ``id``. It is listed beside ours, marked as of a package, and **off**: who
switches it on keeps a copy of the text as it is then, and another release of your package changes nothing by itself.
The value is a text, or a function without arguments that returns one (from a file of your package, say).
``tests/contracts/test_strategy_contract.py`` says what every text must do; run it on yours.
"""

TEXT = """\
id: quiet_rise
title: Quiet rise
about: >
  On daily bars: the price is above its average, the range of late is narrow, and volume does not run away.
horizon: swing
bar_seconds: 86400
long:
  enter:                                    # all must hold on the newest closed bar
    - close > sma(50)
    - atr(10) < 0.8 * atr(50)
  score:                                    # each that holds strengthens the case
    - {when: "volume < 1.5 * mean(volume, 20)", weight: 0.2}
  exit:                                     # any ends a position of this strategy
    - close < lowest(low, 10)[1]
base_score: 0.4
min_score: 0.5
stop_atr: 2.0                               # in average true ranges of atr_period bars
target_atr: 4.0
risk_percent: 0.20                          # of equity, lost when the stop is hit
"""
