"""How the desk judges a suggestion on the present book: pure reading, nothing is sent or stored here."""

import math
from decimal import Decimal

import msgspec

from engine.approval.case import Live
from engine.approval.drift import Drift, measure
from engine.approval.freshness import too_old
from engine.approval.hash import approval_hash, book_fingerprint
from engine.approval.mandate import Mandates
from engine.approval.ports import Gate, Ledger, Market, Orders
from engine.approval.requests import order_for
from engine.approval.settings import ApprovalSettings
from engine.bus.clock import Clock
from engine.model.decision import Denial, Verdict
from engine.model.ids import Symbol
from engine.model.money import exact, finite, to_tick
from engine.model.order import OrderRequest, Origin
from engine.model.suggestion import Suggestion

TRACE = Decimal("0.98")
"""A size that a limit left by less than this share of it is another trade, and a person should see why."""


class Judge:
    """Asks the gate, measures drift, and binds an approval to what it saw."""

    def __init__(
        self,
        *,
        gate: Gate,
        orders: Orders,
        market: Market,
        ledger: Ledger,
        mandates: Mandates,
        clock: Clock,
        settings: ApprovalSettings,
    ) -> None:
        self._gate = gate
        self._orders = orders
        self._market = market
        self._ledger = ledger
        self._mandates = mandates
        self._clock = clock
        self._settings = settings

    def order(
        self, live: Live, origin: Origin, confirmed: tuple[str, ...] = (), price: Decimal | None = None
    ) -> OrderRequest:
        suggestion = live.case.suggestion
        return order_for(suggestion, origin, self._ledger.positions().get(suggestion.symbol), confirmed, price)

    def look(self, live: Live) -> Verdict:
        """Ask the gate as for a person's order, and bind the approval to what it says."""
        case = live.case
        verdict = self._gate.check(self.order(live, Origin.MANUAL))
        live.verdict = verdict
        case.checked_ns = self._clock.now()
        case.limits_hash = self._gate.limits_hash
        case.book = self.book(case.suggestion.symbol)
        case.approval_hash = approval_hash(
            case.suggestion, self.order(live, Origin.MANUAL), case.limits_hash, case.book
        )
        return verdict

    def what_changed(self, live: Live) -> str:
        case = live.case
        if case.limits_hash != self._gate.limits_hash:
            return "the limits have changed since you looked"
        if case.book != self.book(case.suggestion.symbol):
            return f"your position or orders in {case.suggestion.symbol} have changed since you looked"
        return ""

    def book(self, symbol: Symbol) -> str:
        return book_fingerprint(symbol, self._ledger.positions(), self._orders.open_orders())

    def date(self, symbol: Symbol) -> str:
        session = self._market.session(symbol, self._clock.now())
        return session.date if session is not None else ""

    def moved(self, suggestion: Suggestion) -> Suggestion | None:
        """Return the suggestion with all prices moved by what the mid moved."""
        quote, instrument = self._market.quote(suggestion.symbol), self._market.instrument(suggestion.symbol)
        if quote is None or instrument is None or not quote.two_sided or not suggestion.reference_price > 0:
            return None
        step = to_tick(exact(quote.mid - suggestion.reference_price), instrument.tick)
        moved = {name: getattr(suggestion, name) + step for name in ("entry", "stop", "target")}
        if min(moved.values()) <= 0:
            return None
        return msgspec.structs.replace(suggestion, **moved, reference_price=quote.mid)

    def drift(self, suggestion: Suggestion) -> Drift:
        """Return how far the market has moved since ``suggestion``."""
        quote = self._market.quote(suggestion.symbol)
        now = quote.mid if quote is not None and quote.two_sided else math.nan
        return measure(suggestion, now, self._market.atr(suggestion.symbol), self._settings)

    def drifted(self, live: Live) -> Verdict | None:
        """What stands against a suggestion whose price has moved on while it waited; None when it has not."""
        broken = "" if live.case.suggestion.reduces else self.drift(live.case.suggestion).broken
        if not broken:
            return None
        verdict = live.verdict or Verdict(request=self.order(live, Origin.AUTO))
        return msgspec.structs.replace(verdict, denials=(Denial(code="DRIFT", text=broken),))

    def fitted(self, suggestion: Suggestion) -> Suggestion | None:
        """Return a suggestion that has waited in the size that fits now; None when it fits, or lacks more than a trace.

        It was sized to its limits to the unit; what was sent and paid meanwhile has moved those a little.
        """
        if suggestion.reduces:
            return None
        most = self._gate.size(suggestion.symbol, suggestion.side, suggestion.entry, suggestion.stop).quantity
        if not suggestion.quantity * TRACE <= most < suggestion.quantity:
            return None
        return msgspec.structs.replace(suggestion, quantity=most)

    def shown(self, live: Live) -> dict[str, object]:
        """Return what ``GetSuggestion`` answers, as builtins."""
        case = live.case
        return {
            "suggestion": msgspec.to_builtins(case.suggestion),
            "verdict": msgspec.to_builtins(live.verdict),
            "state": case.state.value,
            "approval_hash": case.approval_hash,
            "drift": msgspec.to_builtins(self.drift(case.suggestion)),
            "reason": case.reason,
        }

    def beyond(self, suggestion: Suggestion, agent: Verdict, *, small: bool) -> Denial | None:
        """Return why the agent may not act alone on what the gate would let it: age, mandate, the small limits."""
        found = too_old(suggestion, self._clock.now(), self._settings.decision_age_s)
        if found is None:
            found = self._mandates.beyond(suggestion.symbol, agent.notional, self.date(suggestion.symbol))
        return self.above_small(agent) if found is None and small else found

    def foreign(self, suggestion: Suggestion) -> Denial | None:
        """Return why a program's suggestion is asked whatever the autonomy; None for the agent's own."""
        return self._mandates.names(suggestion.source) if suggestion.source else None

    def beyond_program(self, live: Live, by: str) -> Denial | None:
        """Return why a program's yes is not enough: the mandate's caps, and with real money its name."""
        suggestion = live.case.suggestion
        verdict = self._gate.check(self.order(live, Origin.PROGRAM))
        return self._mandates.beyond_program(by, suggestion.symbol, verdict.notional, self.date(suggestion.symbol))

    def above_small(self, verdict: Verdict) -> Denial | None:
        account = self._ledger.account()
        if account is None or account.equity is None or not finite(account.equity) or account.equity <= 0:
            return Denial(code="EQUITY", text="Equity is not known, so every order is asked.")
        share = float(verdict.notional / account.equity) * 100.0
        most = self._settings.small_order_percent
        if not share <= most * (1 + 1e-9):
            return Denial(code="ABOVE", text=f"The order is {share:.2f} % of equity; above {most:g} % it is asked.")
        if verdict.risk is not None:
            share, most = float(verdict.risk / account.equity) * 100.0, self._settings.small_risk_percent
            if not share <= most * (1 + 1e-9):
                return Denial(
                    code="ABOVE", text=f"The stop risks {share:.2f} % of equity; above {most:g} % it is asked."
                )
        return None
