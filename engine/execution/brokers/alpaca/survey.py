"""Reading everything the broker holds: in the order in which a later part cannot be older than an earlier one."""

from decimal import Decimal
from typing import Any

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import BrokerError
from engine.execution.brokers.alpaca import reading
from engine.execution.brokers.alpaca.names import Names, Row
from engine.execution.brokers.alpaca.rest import Rest
from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.execution.brokers.alpaca.words import REPLACED, decimal, rfc3339
from engine.model.ids import AccountId
from engine.model.position import Account
from engine.model.report import BrokerPosition, BrokerSnapshot, ExecutionReport, OpenOrder

PAGE = 500
FILLS = 100
MOST_PAGES = 50
_WITH_LEGS = ("bracket", "oto", "oco")


class Survey:
    """Makes snapshots. A part that could not be read whole is ``None``."""

    def __init__(self, clock: Clock, rest: Rest, names: Names, settings: AlpacaSettings, account: AccountId) -> None:
        self._clock = clock
        self._rest = rest
        self._names = names
        self._settings = settings
        self._account = account
        self.trouble = ""
        """Why the last snapshot misses a part."""

    async def take(self) -> tuple[BrokerSnapshot, list[Row]]:
        """Return (snapshot, rows of open orders)."""
        self.trouble = ""
        taken = self._clock.now()
        since = taken - round(self._settings.history_hours * 3600) * SECOND
        alive = await self._try(self._orders({"status": "open"}))
        over = await self._try(self._orders({"status": "closed", "after": rfc3339(since)}))
        if not await self._try(self._name_legs([*(over or ()), *(alive or ())])):
            # A leg without its name would look like somebody else's order.
            alive = over = None
        executions, positions = await self._fills_and_positions(rfc3339(since), [*(alive or ()), *(over or ())])
        account = await self._try(self._read_account())
        snapshot = BrokerSnapshot(
            taken_ns=taken,
            open_orders=self._shown(alive),
            completed=self._shown(over),
            executions=executions,
            positions=positions,
            account=account,
        )
        return snapshot, alive or []

    async def _try(self, reading_it: Any) -> Any:
        try:
            return await reading_it
        except BrokerError as error:
            self.trouble = self.trouble or str(error)
            return None

    async def _orders(self, params: dict[str, str]) -> list[Row]:
        """All orders of a kind, legs as rows of their own, oldest first."""
        found: dict[str, Row] = {}
        params = {**params, "limit": str(PAGE), "direction": "asc", "nested": "false"}
        for _ in range(MOST_PAGES):
            page = _rows(await self._rest.read("/orders", params))
            fresh = [row for row in page if str(row.get("id")) not in found]
            found |= {str(row.get("id")): row for row in fresh}
            for row in fresh:
                self._names.learn(row)
            if len(page) < PAGE:
                return list(found.values())
            if not fresh:
                break
            params["after"] = str(page[-1].get("submitted_at") or page[-1].get("created_at"))
        raise BrokerError("there are more orders than can be read")

    async def _name_legs(self, rows: list[Row]) -> bool:
        """Legs show nothing of their entry; ask the entries that may have some."""
        brackets = [(row, self._names.ref(str(row["id"]))) for row in rows if row.get("order_class") in _WITH_LEGS]
        if all(ref for _, ref in brackets):
            return True
        for row, ref in brackets:
            if ref and self._names.lacks_legs(ref):
                self._names.learn(await self._rest.read(f"/orders/{row['id']}", {"nested": "true"}))
        return True

    async def _fills_and_positions(
        self, since: str, rows: list[Row]
    ) -> tuple[tuple[ExecutionReport, ...] | None, tuple[BrokerPosition, ...] | None]:
        """Fills and positions that belong together: read again while something fills in between."""
        filled = {str(row["id"]): decimal(row.get("filled_qty") or "0", "filled quantity") for row in rows}
        fills = await self._try(self._fills(since))
        positions = None
        for _ in range(3):
            positions = await self._try(self._positions())
            again = await self._try(self._fills(since))
            if fills is None or positions is None or again is None:
                return self._executions(again, filled), None
            if len(again) == len(fills):
                return self._executions(again, filled), positions
            fills = again
        self.trouble = self.trouble or "positions changed while they were read"
        return self._executions(fills, filled), None

    def _executions(self, fills: list[Row] | None, filled: dict[str, Decimal]) -> tuple[ExecutionReport, ...] | None:
        if fills is None:
            return None
        return reading.executions(fills, filled, self._names, self._account, self._clock.now())

    async def _fills(self, since: str) -> list[Row]:
        found: list[Row] = []
        params = {"activity_types": "FILL", "after": since, "direction": "asc", "page_size": str(FILLS)}
        for _ in range(MOST_PAGES):
            page = _rows(await self._rest.read("/account/activities", params))
            found += page
            if len(page) < FILLS:
                return found
            params["page_token"] = str(page[-1].get("id"))
        raise BrokerError("there are more fills than can be read")

    async def _positions(self) -> tuple[BrokerPosition, ...]:
        rows = _rows(await self._rest.read("/positions"))
        return tuple(reading.position(row, self._account) for row in rows)

    async def _read_account(self) -> Account:
        row = await self._rest.read("/account")
        if not isinstance(row, dict):
            raise BrokerError("the account cannot be read")
        return reading.account_of(row, self._account, self._clock.now())

    def _shown(self, rows: list[Row] | None) -> tuple[OpenOrder, ...] | None:
        if rows is None:
            return None
        return tuple(
            reading.shown(row, self._names.ref(str(row["id"])), self._names, self._account)
            for row in rows
            if row.get("status") != REPLACED
        )


def _rows(found: Any) -> list[Row]:
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise BrokerError("a list was expected from Alpaca")
    return found
