"""Limits and the other settings of risk, with bounds. Percentages are in percent; money in the account's currency."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_MODEL = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=False)


def _percent(title: str, description: str, most: float = 100) -> Any:
    return Field(title=title, description=description, gt=0, le=most)


def _count(title: str, description: str, most: int) -> Any:
    return Field(title=title, description=description, ge=1, le=most)


Notional = Annotated[float, _percent("G1 order value", "Largest value of one order, percent of equity.")]
NotionalSoft = Annotated[float, _percent("G1 order value, ask", "Above this a person confirms; percent of equity.")]
NotionalCap = Annotated[float, _percent("G1 order value, money", "Largest value of one order; live only.", 1e9)]
AdvShare = Annotated[float, _percent("G2 share of volume", "Largest order, percent of 20-day average daily volume.")]
UnitsCap = Annotated[float, _percent("G2 quantity", "Largest quantity of one order; live only.", 1e9)]
PriceFloor = Annotated[float, _percent("G3 lowest price", "No opening orders in anything cheaper.", 1e6)]
Collar = Annotated[float, _percent("G4 price collar", "How far through the market a price may be, percent of mid.", 50)]
FillDrift = Annotated[float, _percent("G4b drift of fills", "How far own fills may chase a price in 10 minutes.", 50)]
Passive = Annotated[float, _percent("G5 passive distance", "How far away from the market a price may wait.", 100)]
MarketCollar = Annotated[
    float, _percent("G6 collar of market orders", "A market order becomes a limit this far through the quote.", 10)
]
Spread = Annotated[float, _percent("G7 spread", "Widest spread, percent of mid.", 50)]
PerSecond = Annotated[int, _count("G8 messages per second", "Orders, exits, changes, cancels in a second.", 20)]
PerMinute = Annotated[int, _count("G8 messages per minute", "Orders, exits, changes, cancels in a minute.", 1200)]
Modifies = Annotated[int, _count("G8b changes per order", "How often one order may be changed.", 200)]
DuplicateSeconds = Annotated[
    float, _percent("G9 duplicate window", "Seconds in which the same order again is a duplicate.", 86_400)
]
OrdersPerDay = Annotated[int, _count("G11 orders per day", "Opening orders per exchange date.", 10_000)]
OpenOrders = Annotated[int, _count("G11 open orders", "Opening orders at work at once.", 1000)]
OpenPerSymbol = Annotated[int, _count("G11 open orders per symbol", "Opening orders at work in one symbol.", 1000)]
PositionShare = Annotated[float, _percent("G12 position", "Largest position in one symbol, percent of equity.")]
Gross = Annotated[float, _percent("G13 gross exposure", "All positions and orders, percent of equity.", 400)]
Net = Annotated[float, _percent("G13 net exposure", "Longs less shorts, percent of equity.", 400)]
Positions = Annotated[int, _count("G13 positions", "Number of symbols held.", 1000)]
Sector = Annotated[float, _percent("G14 sector", "Exposure to one sector, percent of equity.", 400)]
UnknownSector = Annotated[float, _percent("G14 unknown sector", "Exposure without a known sector.", 400)]
Cluster = Annotated[float, _percent("G14 correlated cluster", "Exposure to symbols that move together.", 400)]
Funds = Annotated[float, _percent("G15 available funds", "Share of available funds an order may bind.")]
Cushion = Annotated[float, _percent("G15 cushion", "Excess liquidity that must remain, percent of equity.")]
RiskShare = Annotated[float, _percent("G16 risk per trade", "Loss from entry to stop, percent of equity.", 20)]
DayLoss = Annotated[float, _percent("G17 daily loss", "Loss of the day that stops new entries, percent of equity.")]
Drawdown = Annotated[float, _percent("G18 drawdown", "Fall from the 60-day high that stops new entries.")]
QuoteAge = Annotated[float, _percent("G21 quote age", "Oldest quote to trade on, seconds.", 3600)]


class Profile(BaseModel):
    """Limits that both the agent's and a person's orders have."""

    model_config = _MODEL

    order_notional_percent: Notional
    order_notional_soft_percent: NotionalSoft
    order_notional_cap: NotionalCap
    order_adv_percent: AdvShare
    order_units_cap: UnitsCap
    price_floor: PriceFloor
    collar_soft_percent: Collar
    collar_to_25_percent: Collar
    collar_to_50_percent: Collar
    collar_above_50_percent: Collar
    fill_drift_percent: FillDrift
    passive_percent: Passive
    market_collar_percent: MarketCollar
    spread_percent: Spread
    messages_per_second: PerSecond
    messages_per_minute: PerMinute
    modifies_per_order: Modifies
    duplicate_seconds: DuplicateSeconds
    orders_per_day: OrdersPerDay
    open_orders: OpenOrders
    open_orders_per_symbol: OpenPerSymbol
    position_percent: PositionShare
    gross_percent: Gross
    net_percent: Net
    positions: Positions
    sector_percent: Sector
    unknown_sector_percent: UnknownSector
    cluster_percent: Cluster
    funds_percent: Funds
    cushion_percent: Cushion
    risk_percent: RiskShare
    day_loss_halt_percent: DayLoss
    drawdown_halt_percent: Drawdown
    quote_age_s: QuoteAge


class AutoProfile(Profile):
    """Limits of what the agent sends by itself; soft limits are hard here."""

    order_notional_percent: Notional = 5.0
    order_notional_soft_percent: NotionalSoft = 5.0
    order_notional_cap: NotionalCap = 5_000.0
    order_adv_percent: AdvShare = 1.0
    order_units_cap: UnitsCap = 2_000.0
    price_floor: PriceFloor = 5.0
    collar_soft_percent: Collar = 1.0
    collar_to_25_percent: Collar = 1.0
    collar_to_50_percent: Collar = 1.0
    collar_above_50_percent: Collar = 1.0
    fill_drift_percent: FillDrift = 2.0
    passive_percent: Passive = 10.0
    market_collar_percent: MarketCollar = 0.5
    spread_percent: Spread = 0.5
    messages_per_second: PerSecond = 2
    messages_per_minute: PerMinute = 30
    modifies_per_order: Modifies = 5
    duplicate_seconds: DuplicateSeconds = 300.0
    orders_per_day: OrdersPerDay = 20
    open_orders: OpenOrders = 10
    open_orders_per_symbol: OpenPerSymbol = 3
    position_percent: PositionShare = 10.0
    gross_percent: Gross = 80.0
    net_percent: Net = 80.0
    positions: Positions = 12
    sector_percent: Sector = 25.0
    unknown_sector_percent: UnknownSector = 10.0
    cluster_percent: Cluster = 30.0
    funds_percent: Funds = 80.0
    cushion_percent: Cushion = 30.0
    risk_percent: RiskShare = 0.5
    day_loss_halt_percent: DayLoss = 2.0
    drawdown_halt_percent: Drawdown = 8.0
    quote_age_s: QuoteAge = 3.0

    adv_notional_floor: float = Field(
        5_000_000.0, title="G3 traded value", description="Least average daily traded value.", gt=0, le=1e12
    )
    spread_multiple: float = Field(
        5.0, title="G7 spread against its median", description="Widest spread, times its 20-day median.", gt=0, le=100
    )
    working_entries: int = Field(
        1, title="G10 working entries", description="Entries at work per strategy and symbol.", ge=1, le=20
    )
    entries_per_day: int = Field(
        2, title="G10 entries per day", description="Entries per symbol and exchange date.", ge=1, le=100
    )
    identical_decisions: int = Field(
        3, title="G10 identical decisions", description="More in the window latch the strategy off.", ge=1, le=100
    )
    identical_minutes: float = Field(
        30.0, title="G10 window", description="Window of identical decisions, minutes.", gt=0, le=1440
    )
    day_loss_demote_percent: float = Field(
        1.0, title="G17 daily loss, demote", description="Loss of the day that ends AUTO.", gt=0, le=100
    )
    drawdown_demote_percent: float = Field(
        5.0, title="G18 drawdown, demote", description="Fall from the 60-day high that ends AUTO.", gt=0, le=100
    )
    week_loss_demote_percent: float = Field(
        4.0, title="G18 weekly loss, demote", description="Loss of five sessions that ends AUTO.", gt=0, le=100
    )
    losing_streak: int = Field(
        4, title="G19 losing streak", description="Losers in a row that end AUTO for the day.", ge=1, le=50
    )
    symbol_loss_percent: float = Field(
        0.7, title="G19 loss of one symbol", description="Loss of the day that locks a symbol.", gt=0, le=100
    )
    after_open_minutes: float = Field(
        5.0, title="G25 after the open", description="No entries in the first minutes.", gt=0, le=390
    )
    before_close_minutes: float = Field(
        10.0, title="G25 before the close", description="No entries in the last minutes.", gt=0, le=390
    )
    resume_minutes: float = Field(
        5.0, title="G26 after a halt", description="Quiet minutes after trading resumes.", gt=0, le=390
    )
    band_percent: float = Field(
        5.0, title="G26 own price band", description="Limit inside this of the 5-minute mean.", gt=0, le=50
    )
    entry_life_s: float = Field(
        300.0, title="G36 life of an entry", description="Entries expire at the broker after this.", ge=30, le=3600
    )


class ManualProfile(Profile):
    """Limits of a person's orders."""

    order_notional_percent: Notional = 20.0
    order_notional_soft_percent: NotionalSoft = 10.0
    order_notional_cap: NotionalCap = 50_000.0
    order_adv_percent: AdvShare = 5.0
    order_units_cap: UnitsCap = 10_000.0
    price_floor: PriceFloor = 1.0
    collar_soft_percent: Collar = 2.0
    collar_to_25_percent: Collar = 10.0
    collar_to_50_percent: Collar = 5.0
    collar_above_50_percent: Collar = 3.0
    fill_drift_percent: FillDrift = 5.0
    passive_percent: Passive = 20.0
    market_collar_percent: MarketCollar = 1.0
    spread_percent: Spread = 1.0
    messages_per_second: PerSecond = 5
    messages_per_minute: PerMinute = 120
    modifies_per_order: Modifies = 20
    duplicate_seconds: DuplicateSeconds = 10.0
    orders_per_day: OrdersPerDay = 100
    open_orders: OpenOrders = 50
    open_orders_per_symbol: OpenPerSymbol = 50
    position_percent: PositionShare = 20.0
    gross_percent: Gross = 100.0
    net_percent: Net = 100.0
    positions: Positions = 30
    sector_percent: Sector = 40.0
    unknown_sector_percent: UnknownSector = 20.0
    cluster_percent: Cluster = 50.0
    funds_percent: Funds = 95.0
    cushion_percent: Cushion = 15.0
    risk_percent: RiskShare = 2.0
    day_loss_halt_percent: DayLoss = 3.0
    drawdown_halt_percent: Drawdown = 10.0
    quote_age_s: QuoteAge = 15.0

    fat_finger_percent: float = Field(
        50.0, title="G33 near the hard limit", description="Retype above this share of the hard value.", gt=0, le=100
    )
    fat_finger_multiple: float = Field(
        3.0, title="G33 larger than usual", description="Retype above this many medians of 20 orders.", gt=1, le=100
    )
    fat_finger_ratio: float = Field(
        20.0, title="G33 quantity for money", description="Value against the intended amount.", gt=1, le=1000
    )


class CommonLimits(BaseModel):
    """Limits that are the same whoever sends."""

    model_config = _MODEL

    absolute_messages_per_second: int = Field(
        20, title="G8 absolute rate", description="All messages in one second, below the broker's own.", ge=1, le=40
    )
    flatten_collar_percent: float = Field(
        2.0, title="G6 collar of flatten", description="How far through the quote a flatten order goes.", gt=0, le=20
    )
    rejects_lock: int = Field(
        3, title="G20 rejects, symbol", description="Broker rejects in the window that lock a symbol.", ge=1, le=100
    )
    rejects_demote: int = Field(
        5, title="G20 rejects, all", description="Broker rejects in the window that end AUTO.", ge=1, le=100
    )
    rejects_minutes: float = Field(10.0, title="G20 window", description="Minutes.", gt=0, le=1440)
    fill_drift_minutes: float = Field(10.0, title="G4b window", description="Minutes.", gt=0, le=1440)
    clock_warn_s: float = Field(
        2.0, title="G23 clock, warn", description="Seconds off the broker's clock.", gt=0, le=60
    )
    clock_auto_s: float = Field(5.0, title="G23 clock, no AUTO", description="Seconds off.", gt=0, le=60)
    clock_stop_s: float = Field(30.0, title="G23 clock, no orders", description="Seconds off.", gt=0, le=600)
    clock_step_pause_s: float = Field(
        60.0, title="G23 pause after a step", description="Seconds without AUTO after the clock stepped.", gt=0, le=3600
    )
    lag_entry_ms: float = Field(500.0, title="G24 lag, no entries", description="Milliseconds.", gt=0, le=60_000)
    lag_demote_ms: float = Field(2000.0, title="G24 lag, demote", description="Milliseconds.", gt=0, le=60_000)
    lag_demote_times: int = Field(3, title="G24 times", description="How often in a minute ends AUTO.", ge=1, le=100)
    queue_demote: int = Field(10_000, title="G24 queue", description="Longest queue.", ge=1, le=10_000_000)
    jump_up: float = Field(
        1.8, title="G27 jump up", description="Overnight ratio of prices that looks like a split.", gt=1, le=100
    )
    jump_down: float = Field(
        0.55, title="G27 jump down", description="Overnight ratio of prices that looks like a split.", gt=0, lt=1
    )
    shortable_least: float = Field(
        2.5, title="G28 shortable", description="Least value of the broker's shortable figure.", gt=0, le=10
    )
    short_cover: float = Field(
        10.0, title="G28 shares to borrow", description="Shortable shares, times the order.", gt=0, le=1000
    )
    short_fee_percent: float = Field(10.0, title="G28 fee", description="Highest borrow fee a year.", gt=0, le=500)
    wash_sale_days: float = Field(
        30.0, title="G30 wash sale", description="Days after a loss in which buying back is flagged.", gt=0, le=365
    )
    day_trades_reserve: int = Field(
        1, title="G31 day trades", description="Day trades the agent leaves in reserve.", ge=1, le=10
    )
    disk_warn_mb: float = Field(1000.0, title="G37 disk, warn", description="Megabytes free.", gt=0, le=1e6)
    disk_stop_mb: float = Field(200.0, title="G37 disk, no entries", description="Megabytes free.", gt=0, le=1e6)
    commit_slow_ms: float = Field(250.0, title="G37 slow commit", description="Milliseconds.", gt=0, le=60_000)
    commit_slow_times: int = Field(3, title="G37 times", description="Slow commits in a row end AUTO.", ge=1, le=100)
    initial_margin_rate: float = Field(
        0.5, title="G15 initial margin", description="Share of value a margin account binds (Reg T).", gt=0, le=2
    )


class RiskSettings(BaseModel):
    """Everything about risk that can be set."""

    model_config = _MODEL

    auto: AutoProfile = Field(
        default_factory=AutoProfile, title="Limits of the agent", description="What it may send by itself."
    )
    manual: ManualProfile = Field(
        default_factory=ManualProfile, title="Limits of a person", description="Hand-made and approved orders."
    )
    common: CommonLimits = Field(default_factory=CommonLimits, title="Limits for all", description="Whoever sends.")
    allow_list: tuple[str, ...] = Field(
        (), title="G3 allow list", description="Symbols the agent may trade; empty means the universe."
    )
    restricted_list: tuple[str, ...] = Field(
        (), title="G3 restricted list", description="Symbols nobody may open a position in."
    )
    currencies: tuple[str, ...] = Field(
        ("USD",), title="G3 currencies", description="Currencies the agent may trade in.", min_length=1
    )
    allow_short: bool = Field(False, title="G28 short sales", description="Allow opening short positions at all.")
    allow_leveraged: bool = Field(
        False, title="G3 leveraged funds", description="Allow the agent leveraged and inverse funds."
    )
    wash_sale_guard: bool = Field(
        False, title="G30 wash-sale guard", description="The agent does not buy back within the window after a loss."
    )
    what_if: Literal["required", "full_value"] = Field(
        "required",
        title="G15 what-if",
        description="Live openings need the broker's what-if margin (required), or bind their full value (full_value).",
    )
    day_trade_regime: Literal["auto", "legacy_pdt", "intraday_margin"] = Field(
        "auto",
        title="G31 day-trade rule",
        description="auto: where the broker reports a count. legacy_pdt: always. intraday_margin: never.",
    )
    first_sessions: int = Field(
        5, title="First AUTO sessions", description="Live sessions at a tenth of G1, G2, G12, G13, G14.", ge=1, le=60
    )
    first_sessions_percent: float = Field(
        10.0, title="Limits of the first sessions", description="Percent of the limits.", gt=0, le=100
    )
    flatten_on_day_loss: bool = Field(
        False, title="G17 flatten", description="Close everything when the daily loss halts entries."
    )
    lease_hours: float = Field(8.0, title="G34 AUTO lease", description="Hours after which AUTO ends.", gt=0, le=24)
    presence_hours: float = Field(
        4.0, title="G34 presence", description="Hours after which a person must have shown up.", gt=0, le=24
    )
    lease_warn_minutes: float = Field(
        15.0, title="G34 warning", description="Minutes of warning before AUTO ends.", gt=0, le=240
    )
    crash_starts: int = Field(
        3, title="G38 unclean starts", description="Unclean starts in the window that only observe.", ge=2, le=20
    )
    crash_minutes: float = Field(15.0, title="G38 window", description="Minutes.", gt=0, le=1440)
    pin_tries: int = Field(5, title="Wrong PINs", description="Wrong PINs before the delay.", ge=1, le=20)
    pin_delay_minutes: float = Field(15.0, title="PIN delay", description="Minutes.", gt=0, le=1440)
    live_auto_needs_pin: bool = Field(
        True, title="LIVE AUTO needs a PIN", description="AUTO with real money is refused while no PIN is set."
    )

    @model_validator(mode="after")
    def _soft_below_hard(self) -> "RiskSettings":
        for name, profile in (("auto", self.auto), ("manual", self.manual)):
            if profile.order_notional_soft_percent > profile.order_notional_percent:
                raise ValueError(f"{name}.order_notional_soft_percent must not exceed {name}.order_notional_percent")
        return self
