"""Commands: imperative, one receiver each. Each is answered with a :class:`Receipt`."""

from decimal import Decimal

import msgspec

from engine.model.decision import Autonomy, Denial, Mode
from engine.model.ids import IntentId, OrderRef, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, TimeInForce


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag=lambda name: name):
    """Base. ``by`` is the surface a person used (window, cli, phone, hotkey), or the program or pane that asks."""

    by: str = "window"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to a command. ``ok`` false is a refusal with reasons, never an exception."""

    ok: bool
    code: str = ""
    text: str = ""
    """One plain sentence for the person."""
    denials: tuple[Denial, ...] = ()
    data: dict[str, object] = {}
    """Builtins only (JSON-like); its keys are documented at each command."""


class Approve(Command, frozen=True, kw_only=True):
    """``data``: refs. First answer wins; a repeat is answered with the outcome of the first."""

    suggestion_id: SuggestionId
    approval_hash: str = ""
    """Hash of what was displayed; empty only from the command line, which shows the current one."""
    confirmed: tuple[str, ...] = ()


class Edit(Command, frozen=True, kw_only=True):
    """Change a pending suggestion; it goes through the gate again and gets a new hash."""

    suggestion_id: SuggestionId
    quantity: Decimal | None = None
    entry: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None


class Refuse(Command, frozen=True, kw_only=True):
    suggestion_id: SuggestionId
    code: str
    """One of REASON_CODES."""
    text: str = ""


class Snooze(Command, frozen=True, kw_only=True):
    suggestion_id: SuggestionId
    seconds: float


class ApproveIf(Command, frozen=True, kw_only=True):
    """Approve later, by itself, if the price is at or better than ``price`` within ``seconds``."""

    suggestion_id: SuggestionId
    price: Decimal
    seconds: float
    approval_hash: str = ""


class Requote(Command, frozen=True, kw_only=True):
    """Re-price and re-score a drifted suggestion."""

    suggestion_id: SuggestionId


class PreviewOrder(Command, frozen=True, kw_only=True):
    """What-if: nothing is sent or reserved. ``data``: verdict (a ``Verdict`` as builtins)."""

    request: OrderRequest


class PlaceOrder(Command, frozen=True, kw_only=True):
    """``data``: ref, state. The intent id makes a repeat harmless."""

    request: OrderRequest


class Propose(Command, frozen=True, kw_only=True):
    """An idea of another program: it becomes a suggestion in the queue, judged and asked about like the agent's own.

    It never sends anything by itself. ``data``: suggestion_id, state. The intent id makes a repeat harmless.
    """

    intent_id: IntentId
    symbol: Symbol
    side: Side
    source: str = ""
    """``hook:NAME`` for a signal from outside; empty names who sends the command."""
    quantity: Decimal | None = None
    """None: sized by the limits, and by what the stop risks."""
    entry: Decimal | None = None
    """None: the price at which it would trade now."""
    stop: Decimal | None = None
    target: Decimal | None = None
    seconds: float | None = None
    """How long it waits for an answer; None the usual time."""
    comment: str = ""


class ModifyOrder(Command, frozen=True, kw_only=True):
    ref: OrderRef
    intent_id: IntentId
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    tif: TimeInForce | None = None


class CancelOrder(Command, frozen=True, kw_only=True):
    ref: OrderRef


class CancelAll(Command, frozen=True, kw_only=True):
    """Every own working order, or those of one symbol. Protective stops stay unless ``protective``."""

    symbol: Symbol | None = None
    protective: bool = False


class Flatten(Command, frozen=True, kw_only=True):
    """Close one symbol, or everything, reduce-only."""

    symbol: Symbol | None = None
    fraction: Decimal = Decimal(1)
    intent_id: IntentId = IntentId("")


class Halt(Command, frozen=True, kw_only=True):
    """STOP. Never behind a lock, PIN or dialog."""

    flatten: bool = False
    reason: str = "stop pressed"
    protective: bool = False


class Resume(Command, frozen=True, kw_only=True):
    """Re-arm after a halt: typed word, reason and PIN (where one is set)."""

    typed: str
    reason: str
    pin: str = ""


class Rearm(Command, frozen=True, kw_only=True):
    """Lift one latch (G10, G18, G19 ...) after looking at why it tripped."""

    code: str
    scope: str = ""
    """Strategy the latch is for; empty for all."""
    reason: str
    pin: str = ""


class SetPin(Command, frozen=True, kw_only=True):
    """Set or change the PIN; the old one is asked when there is one."""

    new: str
    old: str = ""


class SetMode(Command, frozen=True, kw_only=True):
    mode: Mode
    reason: str = ""
    pin: str = ""


class SetAutonomy(Command, frozen=True, kw_only=True):
    autonomy: Autonomy
    reason: str = ""
    pin: str = ""


class Watch(Command, frozen=True, kw_only=True):
    symbols: tuple[Symbol, ...]
    depth: bool = False


class Unwatch(Command, frozen=True, kw_only=True):
    symbols: tuple[Symbol, ...]
    depth: bool = False


class ChangeLimits(Command, frozen=True, kw_only=True):
    """Lower now, raise next session; ``changes`` maps a limit's key to its new value as text."""

    changes: dict[str, str]
    pin: str = ""


class ResolveUnknown(Command, frozen=True, kw_only=True):
    """A person closes an UNKNOWN order with a note, after looking at the broker's own screen."""

    ref: OrderRef
    state: str
    note: str


class AdoptExternal(Command, frozen=True, kw_only=True):
    """Make an order of another program ours."""

    ref: OrderRef


class AdoptPosition(Command, frozen=True, kw_only=True):
    """Take the broker's position into our book where the two differ."""

    symbol: Symbol
    theirs: Decimal
    """What the person saw the broker hold; another figure by now refuses it."""
    reason: str
    pin: str = ""


class SignMandate(Command, frozen=True, kw_only=True):
    """Sign what the agent may do alone. Money in the account's currency."""

    max_order: Decimal
    max_day: Decimal
    max_orders: int
    symbols: tuple[Symbol, ...] = ()
    """Empty: every symbol the limits allow."""
    sources: tuple[str, ...] = ()
    """Programs whose suggestions may be carried out like the agent's own: api, mcp, hook:NAME."""
    days: float = 30.0
    pin: str = ""


class RevokeMandate(Command, frozen=True, kw_only=True):
    """End the mandate now. Never behind a PIN."""


class Acknowledge(Command, frozen=True, kw_only=True):
    """A red banner has been read."""

    code: str


class GetBars(Command, frozen=True, kw_only=True):
    """Chart history. ``data``: symbol, seconds, ts_open, open, high, low, close, volume as packed bytes."""

    symbol: Symbol
    seconds: int
    count: int = 1000
    end_ns: int | None = None


class GetIndicators(Command, frozen=True, kw_only=True):
    """The table of indicators. ``data``: indicators, a list of {id, title, kind (overlay or pane), params, outputs}.

    A parameter is {name, type (int, float or str), default, minimum, maximum, choices}; an output is {name, style}.
    """


class GetIndicator(Command, frozen=True, kw_only=True):
    """One indicator over the newest ``count`` bars, the forming bar included.

    ``data``: symbol, seconds, id, params (all of them), title, kind, ts_open (packed int64), outputs ({name: packed
    float64, NaN while warming up}), shifts ({name: bars it is drawn right of its bar}), forming (whether the last value
    is of a bar that still changes).
    """

    symbol: Symbol
    seconds: int
    id: str
    params: dict[str, int | float | str] = {}
    count: int = 1000


class GetCapabilities(Command, frozen=True, kw_only=True):
    """What the broker in use offers. ``data``: broker, order_types, tifs, brackets, modify, short, fractional, algos.

    An algorithm is {name, title, params}; a parameter {name, title, description, default, least, most, choices}.
    """


class Scan(Command, frozen=True, kw_only=True):
    """Symbols for which every rule holds on the newest closed bar.

    ``data``: rows, a list of {symbol, last, change (percent to the close before), values (one a column, None where
    unknown), texts (one a rule, with the numbers it saw)}, as_of (UTC ns of the newest bar seen), scanned, short
    (symbols without enough history).
    """

    rules: tuple[str, ...]
    seconds: int
    symbols: tuple[Symbol, ...] = ()
    """Empty is the whole universe."""
    columns: tuple[str, ...] = ()
    """Expressions whose values are shown, such as ``rsi(14)``."""


class GetStrategies(Command, frozen=True, kw_only=True):
    """``data``: strategies, a list of {id, title, about, enabled, horizon, bar_seconds, origin (shipped, package, own),
    place (file or package), hash, signals (entries called for since the start), usable, has_original, faults}.

    A fault is {line (from 1; 0 where none can be named), key, text}.
    """


class GetStrategy(Command, frozen=True, kw_only=True):
    """``data``: what GetStrategies tells of it, text, original (what an own one stands in front of, or None)."""

    id: str


class CheckStrategy(Command, frozen=True, kw_only=True):
    """Read a text and change nothing. ``ok`` false is a text with faults. ``data``: faults, id, title."""

    text: str


class TryStrategy(Command, frozen=True, kw_only=True):
    """Signals a text would have given on the bars that are known: signals, not profit.

    ``data``: id, seconds, rows, a list of {symbol, bars, long, short, entries (signals that the pause leaves), last, a
    list of (UTC ns of the bar, long or short)}, rules, a list of {side, part (enter, score, exit), text, held, known},
    short (symbols without enough history), first and last (UTC ns of the bars judged).
    """

    text: str
    symbols: tuple[Symbol, ...] = ()
    """Empty is the whole universe."""


class SaveStrategy(Command, frozen=True, kw_only=True):
    """Keep a text as the person's own and use it from the next bar. ``data``: id, hash, faults where it is refused."""

    text: str
    id: str = ""
    """Name the text must have; empty takes the name it has."""
    was: str | None = None
    """Hash of the text the person began with; another one by now refuses it. None does not ask."""


class ResetStrategy(Command, frozen=True, kw_only=True):
    """Put the person's own text aside: the one that came with the program, or none, is used from the next bar."""

    id: str


class SwitchStrategy(Command, frozen=True, kw_only=True):
    """Turn a strategy on or off from the next bar."""

    id: str
    on: bool


class GetSuggestion(Command, frozen=True, kw_only=True):
    """``data``: suggestion (builtins), verdict, state, approval_hash, drift."""

    suggestion_id: SuggestionId


class GetStatus(Command, frozen=True, kw_only=True):
    """``data``: the keys of ``main.py status --json``."""


class Reconcile(Command, frozen=True, kw_only=True):
    """Ask the broker now."""


class SetSpeed(Command, frozen=True, kw_only=True):
    """Replay and demo: market seconds per second; None is as fast as it goes, 0 pauses."""

    speed: float | None


class StepTime(Command, frozen=True, kw_only=True):
    """Replay and demo: let that much market time pass as fast as it goes, then pause."""

    seconds: float = 60.0


class Shutdown(Command, frozen=True, kw_only=True):
    """Stop the engine process in order. Refused with reasons while that would leave something unsafe, unless forced."""

    force: bool = False


AnyCommand = (
    Approve
    | Edit
    | Refuse
    | Snooze
    | ApproveIf
    | Requote
    | PreviewOrder
    | PlaceOrder
    | Propose
    | ModifyOrder
    | CancelOrder
    | CancelAll
    | Flatten
    | Halt
    | Resume
    | Rearm
    | SetPin
    | SetMode
    | SetAutonomy
    | Watch
    | Unwatch
    | ChangeLimits
    | ResolveUnknown
    | AdoptExternal
    | AdoptPosition
    | SignMandate
    | RevokeMandate
    | Acknowledge
    | GetBars
    | GetIndicators
    | GetIndicator
    | GetCapabilities
    | Scan
    | GetStrategies
    | GetStrategy
    | CheckStrategy
    | TryStrategy
    | SaveStrategy
    | ResetStrategy
    | SwitchStrategy
    | GetSuggestion
    | GetStatus
    | Reconcile
    | SetSpeed
    | StepTime
    | Shutdown
)

REASON_CODES: dict[str, str] = {
    "PRICE": "price not right any more",
    "SIZE": "too large",
    "NEWS": "news it does not know",
    "DISAGREE": "I read it the other way",
    "EXPOSED": "enough of this already",
    "EVENT": "event ahead",
    "SOURCE": "do not trust the source",
    "OTHER": "other",
}
"""Reject reasons; the queue offers them on the digit keys in this order."""
