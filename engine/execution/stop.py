"""STOP, and STOP + FLATTEN. One action, no dialog, no lock; works with the disk, the gate or the modes broken."""

from decimal import Decimal

from engine.api.commands import Receipt
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.execution.desk import OrderDesk
from engine.execution.flatten import Flattener
from engine.execution.ports import Booking, Clearing, Market, Modes
from engine.execution.settings import ExecutionSettings
from engine.execution.voice import Voice
from engine.model.ids import Symbol


class Stop:
    """The switch."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        desk: OrderDesk,
        booking: Booking,
        modes: Modes,
        gate: Clearing,
        market: Market,
        settings: ExecutionSettings,
    ) -> None:
        self._desk = desk
        self._modes = modes
        self._voice = Voice(bus, clock)
        self._flattener = Flattener(
            clock, desk=desk, booking=booking, gate=gate, market=market, settings=settings, voice=self._voice
        )

    @property
    def closing(self) -> tuple[Symbol, ...]:
        """Symbols that are being flattened."""
        return self._flattener.busy

    def stop(self, by: str, reason: str, flatten: bool = False, protective: bool = False) -> Receipt:
        """Halt in memory, then durably (and go on when that fails), cancel every own order, then flatten if asked.

        Protective orders stay unless ``protective``; flatten replaces those of the symbols it can close.
        ``data``: cancelled [ref], unconfirmed [ref], recorded, cannot {symbol: reason}.
        """
        self._desk.halted = True
        problem = ""
        try:
            answer = self._modes.halt(by, reason, flatten)
            if isinstance(answer, Receipt) and answer.data.get("recorded") is False:
                problem = answer.text
        except Exception as error:  # noqa: BLE001  a STOP goes on whatever is broken
            problem = f"{error}."
        recorded = not problem
        if problem:
            self._voice.alarm(
                "HALT_NOT_DURABLE",
                "red",
                f"STOP is in force but could not be recorded: {problem}",
                "Orders are being cancelled.",
                "Do not restart before you have checked the broker.",
            )
        cancelled = self._desk.halt_cancel(protective=protective, by=by)
        data: dict[str, object] = {"cancelled": list(cancelled), "recorded": recorded}
        if flatten:
            data.update(self._flattener.flatten(by=by).data)
        unconfirmed = [status.ref for status in self._desk.open_orders() if status.ref in set(cancelled)]
        data["unconfirmed"] = unconfirmed
        text = "Stopped. Nothing was working that it cancels."
        if cancelled:
            text = f"Stopped. {len(cancelled)} cancels sent, {len(unconfirmed)} not confirmed yet."
        return Receipt(ok=True, code="STOPPED", text=text, data=data)

    def flatten(self, symbol: Symbol | None = None, fraction: Decimal = Decimal(1), by: str = "") -> Receipt:
        """Close one symbol or all without stopping trading."""
        return self._flattener.flatten(symbol, fraction, by)
