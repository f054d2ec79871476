"""T-M3: what is said when trading in a symbol is halted, and when it goes on."""

from decimal import Decimal

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.model.events.market import HaltChanged
from engine.model.events.system import Alarm
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderState, OrderStatus, OrderType, Origin
from engine.operations.halts import HaltWatch
from engine.operations.lamps import Lamps
from engine.operations.settings import OperationsSettings

D = Decimal
NOW = 1_767_366_000 * SECOND


def order(ref: str, symbol: str, origin: Origin, **fields: object) -> OrderStatus:
    request = OrderRequest(
        intent_id=IntentId(ref), symbol=Symbol(symbol), side=Side.SELL, quantity=D(100), origin=origin, **fields
    )
    return OrderStatus(
        ref=OrderRef(ref),
        account=AccountId("DU1"),
        request=request,
        state=OrderState.WORKING,
        created_ns=1,
        changed_ns=1,
    )


class Orders:
    def __init__(self, *held: OrderStatus) -> None:
        self.held = held

    def open_orders(self) -> tuple[OrderStatus, ...]:
        return self.held


def told(*held: OrderStatus) -> tuple[StepClock, Bus, HaltWatch, list[Alarm]]:
    clock = StepClock(NOW)
    bus = Bus(lambda owner, role, event, error: None)
    alarms: list[Alarm] = []
    bus.subscribe(Alarm, alarms.append, owner="test")
    watch = HaltWatch(bus, clock, Orders(*held), Lamps(bus, clock), OperationsSettings())
    watch.start()
    return clock, bus, watch, alarms


def say(clock: StepClock, bus: Bus, halted: bool) -> None:
    now = clock.now()
    bus.publish(HaltChanged(ts_event=now, ts_init=now, symbol=Symbol("AAPL"), halted=halted, reason="LULD"))


def test_t_m3_a_halt_lists_the_stops_and_targets_of_the_symbol_with_their_prices() -> None:
    clock, bus, _, alarms = told(
        order("S1", "AAPL", Origin.PROTECTIVE, order_type=OrderType.STOP, stop_price=D("95.10")),
        order("T1", "AAPL", Origin.PROTECTIVE, limit_price=D("110.00")),
        order("S2", "MSFT", Origin.PROTECTIVE, order_type=OrderType.STOP, stop_price=D("300")),
        order("M1", "AAPL", Origin.MANUAL, limit_price=D("120")),
    )
    say(clock, bus, True)
    (alarm,) = alarms
    assert alarm.severity == "amber"
    assert "LULD" in alarm.happened
    assert "SELL 100 stop 95.10 (S1); SELL 100 limit 110.00 (T1)." in alarm.did
    assert "S2" not in alarm.did
    assert "M1" not in alarm.did


def test_t_m3_a_halt_without_stops_is_said_quietly_and_ends_five_minutes_after_trading_goes_on() -> None:
    clock, bus, watch, alarms = told()
    say(clock, bus, True)
    assert (alarms[-1].severity, alarms[-1].did) == ("yellow", "No entries.")
    say(clock, bus, False)
    assert "for 5 minutes" in alarms[-1].did
    clock.advance(299)
    watch.look()
    assert not alarms[-1].cleared
    clock.advance(2)
    watch.look()
    assert alarms[-1].cleared
