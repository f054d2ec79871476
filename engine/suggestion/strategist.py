"""The strategist: forecasts in, suggestions out. One open suggestion per symbol and strategy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec
import structlog

from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock
from engine.model.events.market import QuoteTick
from engine.model.events.thought import Scored, Suggested, SuggestionSuperseded, SuggestionWithdrawn
from engine.model.ids import Symbol
from engine.model.market import SessionState, Side
from engine.model.money import ZERO, exact, to_tick
from engine.model.order import Origin
from engine.model.position import Position
from engine.model.score import Forecast
from engine.model.suggestion import Suggestion
from engine.suggestion.board import Board
from engine.suggestion.plan import Plan, Recipe, evidence_hash, make_plan
from engine.suggestion.ports import History, Ledger, Market, Orders, Sizer, Store
from engine.suggestion.waiting import Signal, Waiting

LOOKBACK_BARS = 250
EXIT_LIFE_S = 600.0
AFTER_OPEN_S = 330.0
"""After the open, when the first prices have settled (G25 allows no entry in the first five minutes)."""
HOUR_S = 3_600
DAY_S = 86_400
_log = structlog.get_logger("strategist")


@dataclass(frozen=True)
class Candidate:
    """A forecast with its prices, waiting to be compared with the others of its moment."""

    forecast: Forecast
    strategy: str
    recipe: Recipe
    plan: Plan
    mid: float
    snapshot: str


class Strategist:
    """Decides what to propose; never what to trade."""

    name = "strategist"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        market: Market,
        history: History,
        ledger: Ledger,
        orders: Orders,
        sizer: Sizer,
        board: Board,
        store: Store,
        recipes: Mapping[str, Recipe],
        most_open: int = 8,
        allow_short: Callable[[], bool] = lambda: True,
    ) -> None:
        """``recipes`` maps a source's strategy name to how its forecasts become prices.

        ``most_open`` bounds what waits for a person at one time: a queue that nobody can read is approved blind.
        """
        self._bus, self._clock, self._market, self._history = bus, clock, market, history
        self._ledger, self._orders, self._sizer, self._board = ledger, orders, sizer, board
        self.recipes = dict(recipes)
        self._allow_short = allow_short
        self._candidates: list[Candidate] = []
        self._most_open = most_open
        self._waiting = Waiting(clock, store, self._not_kept)
        self.silent: dict[str, int] = {}
        """Why forecasts did not become suggestions, counted."""

    def use(self, recipes: Mapping[str, Recipe]) -> None:
        """Take other recipes from the next forecast on; what is open keeps its prices."""
        self.recipes = dict(recipes)

    async def start(self) -> None:
        """Listen to forecasts, and wait on with those of the last session."""
        if kept := self._waiting.load():
            _log.info("signals of the last session wait for the open", signals=kept)
        self._bus.subscribe(Scored, self._on_scored, owner="strategist", role=Role.DECIDER)
        self._bus.subscribe(QuoteTick, self._on_quote, owner="strategist", role=Role.DECIDER)

    async def stop(self) -> None:
        """Keep what waits."""
        self._waiting.flush()

    def _on_scored(self, event: Scored) -> None:
        forecast = event.forecast
        strategy = forecast.source.partition(":")[2]
        recipe = self.recipes.get(strategy)
        if recipe is None or forecast.abstained:
            return
        if forecast.score != 0.0 or forecast.reason.startswith("exit"):
            self._when_open(forecast, strategy, recipe)

    def _when_open(self, forecast: Forecast, strategy: str, recipe: Recipe) -> None:
        """A daily bar closes with its session: what it says is proposed after the next open, at that day's price."""
        now = self._clock.now()
        session = self._market.session(forecast.symbol, now)
        leaving = forecast.reason.startswith("exit")
        if session is None and not leaving:
            return self._skip("the market's hours are not known")
        if leaving:
            self._withdraw(forecast, strategy)
        daily, settle = recipe.bar_seconds >= DAY_S, round(AFTER_OPEN_S * SECOND)
        if session is None or (leaving and not daily):
            return self._consider(forecast, strategy, recipe)
        if session.state is SessionState.OPEN:
            opens = session.open_ns
            if not daily or now >= opens + settle:
                return self._consider(forecast, strategy, recipe)
        elif not daily:
            return self._skip("the market is closed")
        else:
            opens = session.open_ns if session.open_ns > now else session.next_open_ns
        # What a day's bar says holds for a session: nights, weekends and holidays do not age it.
        forecast = msgspec.structs.replace(forecast, expires_at=forecast.expires_at + max(opens - now, 0))
        awaited = self._market.session(forecast.symbol, opens)
        self._waiting.add(
            Signal(
                forecast=forecast,
                strategy=strategy,
                after_ns=opens + settle,
                until_ns=awaited.close_ns if awaited is not None else forecast.expires_at,
            )
        )
        return None

    def _not_kept(self, reason: str) -> None:
        _log.warning("a signal may be lost with a restart", reason=reason)
        self._skip(reason.partition(":")[0])

    def _consider(self, forecast: Forecast, strategy: str, recipe: Recipe) -> None:
        if forecast.reason.startswith("exit"):
            self._consider_exit(forecast, strategy)
        else:
            self._consider_entry(forecast, strategy, recipe)

    def _on_quote(self, event: QuoteTick) -> None:
        # The first price after the open has settled, whenever it comes: it is fresh, whatever the source's pace.
        for signal in self._waiting.due(event.symbol, event.ts_event):
            recipe = self.recipes.get(signal.strategy)
            if recipe is None:
                self._skip("its strategy is gone")
            elif signal.too_late(event.ts_event):
                self._skip("the signal was for a session that is over")
            else:
                self._consider(signal.forecast, signal.strategy, recipe)

    def _consider_entry(self, forecast: Forecast, strategy: str, recipe: Recipe) -> None:
        symbol, side = forecast.symbol, Side.BUY if forecast.score > 0 else Side.SELL
        now = self._clock.now()
        position = self._ledger.positions().get(symbol)
        if position is not None and position.quantity != ZERO:
            return self._skip("already holds a position")
        if any(
            o.request.symbol == symbol and o.request.origin is not Origin.PROTECTIVE for o in self._orders.open_orders()
        ):
            return self._skip("an order is working")
        if side is Side.SELL and not self._allow_short():
            return self._skip("short sales are off")
        last = self._board.entered(symbol, strategy)
        if last is not None and 0 <= now - last < recipe.cooldown_bars * recipe.bar_seconds * SECOND:
            return self._skip("pause between entries")
        standing = self._board.open_for(symbol, strategy)
        if any(s.side is side and now < s.expires_ns for s in standing):
            return self._skip("the same suggestion is open")
        quote, instrument = self._market.quote(symbol), self._market.instrument(symbol)
        columns = self._history.columns(symbol, recipe.bar_seconds, LOOKBACK_BARS)
        if quote is None or instrument is None or columns is None:
            return self._skip("no prices")
        plan = make_plan(forecast, recipe, quote, columns, instrument.tick)
        if isinstance(plan, str):
            return self._skip(plan)
        snapshot = evidence_hash(forecast, quote, columns, {})
        if not self._candidates:
            self._clock.call_later(0.0, self._choose)
        self._candidates.append(Candidate(forecast, strategy, recipe, plan, quote.mid, snapshot))
        return None

    def _choose(self) -> None:
        """Of what one moment offers, propose the strongest, as many as a person can look at; the rest is counted."""
        candidates, self._candidates = self._candidates, []
        candidates.sort(key=lambda c: (-abs(c.forecast.score), c.forecast.symbol, c.strategy))
        room = self._most_open - sum(not (s.reduces or s.source) for s in self._board.opened())
        for candidate in candidates:
            if room <= 0:
                self._skip("stronger ones are open already")
            elif self._propose(candidate):
                room -= 1

    def _propose(self, chosen: Candidate) -> bool:
        forecast, strategy, plan, recipe = chosen.forecast, chosen.strategy, chosen.plan, chosen.recipe
        symbol, now = forecast.symbol, self._clock.now()
        quantity = self._sizer.size(symbol, plan.side, plan.entry, plan.stop, recipe.risk_percent)
        if quantity <= ZERO:
            self._skip("no size fits the limits")
            return False
        if not self._sizer.worth(symbol, quantity, plan.entry, plan.target):
            self._skip("too small to be worth its commissions")
            return False
        standing = self._board.open_for(symbol, strategy)
        suggestion = self._suggestion(chosen, quantity)
        self._board.note_entry(symbol, strategy, now)
        for old in standing:
            self._bus.publish(
                SuggestionSuperseded(ts_event=now, ts_init=now, id=old.id, symbol=symbol, by=suggestion.id)
            )
        self._bus.publish(Suggested(ts_event=now, ts_init=now, suggestion=suggestion))
        return True

    def _suggestion(self, chosen: Candidate, quantity: Decimal) -> Suggestion:
        forecast, plan, now = chosen.forecast, chosen.plan, self._clock.now()
        name, decision = self._board.next_ids()
        beyond = "below" if plan.side is Side.BUY else "above"
        return Suggestion(
            id=name,
            decision_id=decision,
            symbol=forecast.symbol,
            side=plan.side,
            quantity=quantity,
            entry=plan.entry,
            stop=plan.stop,
            target=plan.target,
            horizon=forecast.horizon,
            strategy=chosen.strategy,
            probability=forecast.probability,
            forecasts=(forecast,),
            evidence=forecast.evidence,
            evidence_hash=chosen.snapshot,
            invalidation=f"price {beyond} {plan.stop:f}",
            reference_price=chosen.mid,
            atr=plan.atr,
            made_ns=now,
            expires_ns=now + round(plan.life_s * SECOND),
            entry_until_ns=self._entry_until(forecast.symbol, chosen.recipe, plan, now),
        )

    def _entry_until(self, symbol: Symbol, recipe: Recipe, plan: Plan, now: int) -> int:
        """How long an entry may wait: its strategy's own life within this session; bars of minutes leave it to G36."""
        session = self._market.session(symbol, now)
        if recipe.bar_seconds < HOUR_S or session is None or session.close_ns <= now:
            return 0
        return min(now + round(plan.life_s * SECOND), session.close_ns)

    def _withdraw(self, forecast: Forecast, strategy: str) -> None:
        """What a rule contradicts is not proposed any more, whether the market is open or not."""
        symbol, now = forecast.symbol, self._clock.now()
        wanted = 1 if forecast.reason.endswith("long") else -1
        for old in self._board.open_for(symbol, strategy):
            if old.side.sign == wanted and not old.reduces:
                self._bus.publish(
                    SuggestionWithdrawn(
                        ts_event=now, ts_init=now, id=old.id, symbol=symbol, reason=forecast.evidence[0].text
                    )
                )

    def _consider_exit(self, forecast: Forecast, strategy: str) -> None:
        symbol = forecast.symbol
        wanted = 1 if forecast.reason.endswith("long") else -1
        position = self._ledger.positions().get(symbol)
        if position is None or position.quantity * wanted <= ZERO or position.opened_by != strategy:
            return
        if position.opened_ns > forecast.available_at > 0 or any(
            s.reduces for s in self._board.open_for(symbol, strategy)
        ):
            return
        self._propose_exit(forecast, strategy, position)

    def _propose_exit(self, forecast: Forecast, strategy: str, position: Position) -> None:
        symbol, now = forecast.symbol, self._clock.now()
        quote, instrument = self._market.quote(symbol), self._market.instrument(symbol)
        if quote is None or instrument is None or not quote.two_sided:
            return self._skip("no prices")
        side = Side.SELL if position.quantity > ZERO else Side.BUY
        touch = quote.bid if side is Side.SELL else quote.ask
        entry = to_tick(exact(touch), instrument.tick)
        name, decision = self._board.next_ids()
        suggestion = Suggestion(
            id=name,
            decision_id=decision,
            symbol=symbol,
            side=side,
            quantity=abs(position.quantity),
            entry=entry,
            stop=entry,
            target=entry,
            horizon=forecast.horizon,
            strategy=strategy,
            forecasts=(forecast,),
            evidence=forecast.evidence,
            reference_price=quote.mid,
            made_ns=now,
            expires_ns=now + round(EXIT_LIFE_S * SECOND),
            reduces=True,
            note=forecast.evidence[0].text if forecast.evidence else "",
        )
        self._bus.publish(Suggested(ts_event=now, ts_init=now, suggestion=suggestion))
        return None

    def _skip(self, reason: str) -> None:
        self.silent[reason] = self.silent.get(reason, 0) + 1
