"""Which market is simulated."""

from dataclasses import dataclass

WORLD_NAMES = ("null", "lottery", "planted", "news-drift", "mixed", "crash")
"""`null`: a martingale. `lottery`: a martingale with skewed stocks. `planted`: tomorrow's own shock has correlation
`ic` with a signal of past prices and volumes. `news-drift`, `mixed`: prices keep drifting after true news. `crash`:
`mixed` with a market crash on the session `crash_day` after the anchor."""

PLANTED_KINDS = ("linear", "interaction")


@dataclass(frozen=True, slots=True, kw_only=False)
class World:
    """The rules of a simulated market; together with the instruments it fixes every price, trade and headline."""

    name: str = "mixed"
    seed: int = 1
    ic: float = 0.03
    """Correlation of the hidden signal with the next day's own shock (planted, news-drift, mixed, crash)."""
    kind: str = "linear"
    """`linear` or `interaction`; only `planted` reads it."""
    news_rate: float = 0.06
    """News items per symbol and session."""
    blind_share: float = 0.3
    """Share of news written from templates kept apart for blind tests."""
    drift_annual: float | None = None
    """Drift of the market a year; None: 0.06 in news-drift, mixed and crash, else 0: the world is a martingale."""
    history_days: int = 2520
    """Sessions that exist before the anchor."""
    crash_day: int = 1
    """Sessions after the anchor at which `crash` crashes."""

    def __post_init__(self) -> None:
        if self.name not in WORLD_NAMES:
            raise ValueError(f"World.name: {self.name!r} is not one of {', '.join(WORLD_NAMES)}")
        if self.kind not in PLANTED_KINDS:
            raise ValueError(f"World.kind: {self.kind!r} is not one of {', '.join(PLANTED_KINDS)}")
        bounds = (
            ("ic", self.ic, 0.0, 0.5),
            ("news_rate", self.news_rate, 0.0, 0.5),
            ("blind_share", self.blind_share, 0.0, 1.0),
            ("drift_annual", self.drift, -0.5, 0.5),
            ("history_days", self.history_days, 300, 20_000),
            ("crash_day", self.crash_day, 0, 100_000),
        )
        for field, value, low, high in bounds:
            if not low <= value <= high:  # also refuses NaN
                raise ValueError(f"World.{field}: {value!r} is outside {low}…{high}")

    @property
    def drift(self) -> float:
        """The market's drift a year."""
        if self.drift_annual is not None:
            return self.drift_annual
        return 0.06 if self.has_news_drift else 0.0

    @property
    def has_news_drift(self) -> bool:
        """Whether prices keep moving after true news."""
        return self.name in ("news-drift", "mixed", "crash")
