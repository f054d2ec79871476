"""The minute that is being built for one symbol."""

from engine.model.ids import Symbol


class Forming:
    """The minute that is being built for one symbol, and where its session lies."""

    __slots__ = (
        "close",
        "count",
        "day_close",
        "day_open",
        "day_start",
        "end",
        "five_end",
        "five_start",
        "high",
        "low",
        "money",
        "open",
        "quoted",
        "recheck",
        "start",
        "symbol",
        "volume",
    )

    def __init__(self, symbol: Symbol, quoted: bool) -> None:
        self.symbol = symbol
        self.quoted = quoted
        self.start = self.end = 0
        self.day_open = self.day_close = self.recheck = 0
        self.five_start = self.five_end = self.day_start = 0
        """The five minutes and the session whose closing is already seen to."""
        self.open = self.high = self.low = self.close = 0.0
        self.volume = self.money = 0.0
        self.count = 0
