"""The trading REST interface."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.support.alpaca_server.book import Order, Refused, asset_id, rfc3339, text
from tests.support.alpaca_server.http import Answer, Request

if TYPE_CHECKING:
    from tests.support.alpaca_server.server import AlpacaServer

ZONE = ZoneInfo("America/New_York")


class Rest:
    """Routes of /v2; each returns (status, body)."""

    def __init__(self, server: AlpacaServer) -> None:
        self._server = server

    async def handle(self, request: Request) -> Answer:
        """Authorise, count, apply the faults, carry out."""
        server, where = self._server, {"method": request.method, "path": request.path}
        server.requests.append(request)
        if not server.authorised(request.headers) or server.faults.hit("auth_refused", **where):
            return Answer(401, {"code": 40110000, "message": "request is not authorized"})
        headers = server.count_request()
        if server.faults.hit("rate_limit", **where) or int(headers["x-ratelimit-remaining"]) < 0:
            return Answer(429, {"message": "too many requests."}, {**headers, "x-ratelimit-remaining": "0"})
        if server.faults.hit("drop_before", **where):
            return Answer(drop=True)
        error = server.faults.hit("error_before", **where)
        if error:
            return Answer(error["status"], {"code": error["code"], "message": error["message"]}, headers)
        answer = self._carry_out(request)
        answer.headers |= headers
        return await self._spoil(answer, where)

    async def _spoil(self, answer: Answer, where: dict[str, str]) -> Answer:
        faults = self._server.faults
        if faults.hit("drop_after", **where):
            return Answer(drop=True)
        error = faults.hit("error_after", **where)
        if error:
            return Answer(error["status"], {"message": error["message"]}, answer.headers)
        slow = faults.hit("slow", **where)
        if slow:
            await self._server.pause(float(slow["seconds"]))
        if faults.hit("bad_json", **where):
            answer.raw = b"<html>Bad Gateway</html>"
        return answer

    def _carry_out(self, request: Request) -> Answer:
        try:
            status, body = self._route(request)
        except Refused as refused:
            return Answer(refused.status, refused.body)
        return Answer(status, body)

    def _route(self, request: Request) -> tuple[int, Any]:
        parts = request.path.strip("/").split("/")
        if parts[0] != "v2" or len(parts) < 2:
            raise Refused(40410000, "endpoint not found.")
        if self._server.faults.hit("missing", method=request.method, path=request.path):
            raise Refused(40410000, "not found")
        kind, rest = parts[1], parts[2:]
        routes = {
            "orders": self._orders,
            "orders:by_client_order_id": self._by_client_id,
            "positions": self._positions,
            "account": self._account,
            "assets": self._assets,
            "clock": self._clock,
            "calendar": self._calendar,
        }
        if kind not in routes:
            raise Refused(40410000, "endpoint not found.")
        return routes[kind](request, rest)

    # -- orders ----------------------------------------------------------------------------

    def _json(self, order: Order) -> dict[str, Any]:
        return order.json(self._server.book.legs(order))

    def _orders(self, request: Request, rest: list[str]) -> tuple[int, Any]:
        book = self._server.book
        if rest:
            order = book.by_id(rest[0])
            if request.method == "GET":
                return 200, self._json(order)
            if request.method == "PATCH":
                return 200, self._replace(order, request)
            self._cancel(order)
            return 204, None
        if request.method == "POST":
            return 200, self._post(request)
        if request.method == "DELETE":
            live = [o for o in book.orders if o.open]
            for order in live:
                self._cancel(order)
            return 207, [{"id": o.id, "status": 200} for o in live]
        return 200, self._list(request.query)

    def _list(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = query.get("status", "open")
        symbols = {s for s in query.get("symbols", "").split(",") if s}
        orders = [o for o in self._server.book.orders if wanted == "all" or o.open == (wanted == "open")]
        orders = [o for o in orders if not symbols or o.symbol in symbols]
        if query.get("after"):
            orders = [o for o in orders if o.created_ns > self._moment(query["after"])]
        if query.get("until"):
            orders = [o for o in orders if o.created_ns < self._moment(query["until"])]
        if query.get("nested") == "true":
            orders = [o for o in orders if o.parent is None]
        if query.get("direction", "desc") == "desc":
            orders.reverse()
        return [self._json(o) for o in orders[: min(int(query.get("limit", 50)), 500)]]

    def _moment(self, value: str) -> float:
        try:
            return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp() * 1e9
        except ValueError:
            raise Refused(42210000, f"invalid time: {value!r}") from None

    def _body(self, request: Request) -> dict[str, Any]:
        try:
            body = json.loads(request.body or b"{}")
        except ValueError:
            raise Refused(40010000, "request body format is invalid") from None
        if not isinstance(body, dict):
            raise Refused(40010000, "request body format is invalid")
        return body

    def _post(self, request: Request) -> dict[str, Any]:
        server, body = self._server, self._body(request)
        if body.get("order_class") == "oco":
            body = {**(body.get("take_profit") or {}), **body}
        order = server.book.read(body)
        server.book.check_power(order)
        legs = self._read_legs(order, body)
        rejected = server.faults.hit("rejected", symbol=order.symbol, client_order_id=order.client_order_id)
        if rejected:
            server.book.orders.append(order)
            server.book.event("pending_new", order)
            server.book.end(order, "rejected")
        else:
            server.book.enter(order, legs)
        return self._json(order)

    def _read_legs(self, order: Order, body: dict[str, Any]) -> list[Order]:
        kind, book = order.order_class, self._server.book
        if kind in ("", "simple"):
            return []
        if kind not in ("bracket", "oto", "oco"):
            raise Refused(42210000, f"invalid order_class: {kind!r}")
        exits = {"take_profit": ("limit", "limit_price"), "stop_loss": ("stop", "stop_price")}
        given = {name: body[name] for name in exits if body.get(name)}
        if (kind == "bracket" and len(given) != 2) or not given:
            raise Refused(42210000, f"{kind} orders require {' and '.join(exits)}")
        if kind == "oco":
            if len(given) != 2 or order.type != "limit" or book.held(order.symbol) * order.sign >= 0:
                raise Refused(42210000, "oco orders must be limit exit orders of a position, with both exits")
            given.pop("take_profit")
        legs = []
        for name, values in given.items():
            type_, key = exits[name]
            side = order.side if kind == "oco" else ("sell" if order.side == "buy" else "buy")
            both = name == "stop_loss" and values.get("limit_price")
            row = {"symbol": order.symbol, "side": side, "qty": str(order.qty), "time_in_force": order.tif}
            row |= {"type": "stop_limit" if both else type_, key: values.get(key)}
            if both:
                row["limit_price"] = values["limit_price"]
            leg = book.read(row)
            leg.parent, leg.order_class = order, kind
            legs.append(leg)
        return legs

    def _cancel(self, order: Order) -> None:
        server = self._server
        where = {"symbol": order.symbol, "client_order_id": order.client_order_id}
        if not order.open:
            raise Refused(42210000, f'order is already in "{order.status}" state')
        if server.faults.hit("cancel_rejected", **where):
            server.book.event("order_cancel_rejected", order)
            return
        if server.faults.hit("cancel_pending", **where):
            order.status = "pending_cancel"
            server.book.event("pending_cancel", order)
            return
        server.book.end(order, "canceled")
        if order.parent is not None:
            # Alpaca's pages: with one order of a group the others that are open are cancelled.
            for other in (*server.book.legs(order.parent), *([order.parent] if order.order_class == "oco" else [])):
                server.book.end(other, "canceled")
        late = server.faults.hit("late_fill", **where)
        if late:
            server.book.fill(order, Decimal(str(late["qty"])), order.limit or server.book.quotes[order.symbol].last)

    def _replace(self, order: Order, request: Request) -> dict[str, Any]:
        """A change makes a new order with a new id."""
        server, body = self._server, self._body(request)
        if not order.open:
            raise Refused(42210000, "only open orders can be replaced")
        merged = {"symbol": order.symbol, "side": order.side, "type": order.type, "extended_hours": order.extended}
        merged |= {"qty": body.get("qty") or text(order.qty), "client_order_id": body.get("client_order_id")}
        merged |= {"time_in_force": body.get("time_in_force") or order.tif, "order_class": order.order_class}
        for name, old in (("limit_price", order.limit), ("stop_price", order.stop), ("trail_price", order.trail_price)):
            merged[name] = body.get(name) or text(old)
        new = server.book.read(merged)
        if new.qty <= order.filled:
            raise Refused(42210000, "qty must be greater than filled_qty")
        if server.faults.hit("replace_rejected", symbol=order.symbol, client_order_id=order.client_order_id):
            server.book.event("order_replace_rejected", order)
            return self._json(replace(new, replaces=order.id, status="rejected"))
        new.qty -= order.filled
        new.replaces, new.parent, order.replaced_by = order.id, order.parent, new.id
        for leg in server.book.legs(order):
            leg.parent = new
        server.book.end(order, "replaced")
        server.book.enter(new, [])
        return self._json(new)

    def _by_client_id(self, request: Request, rest: list[str]) -> tuple[int, Any]:
        return 200, self._json(self._server.book.by_client_id(request.query.get("client_order_id", "")))

    # -- the rest --------------------------------------------------------------------------

    def _position(self, symbol: str) -> dict[str, Any]:
        book = self._server.book
        qty, cost = book.positions[symbol]
        last = book.quotes[symbol].last
        return {
            "asset_id": asset_id(symbol),
            "symbol": symbol,
            "exchange": "NASDAQ",
            "asset_class": "us_equity",
            "qty": text(qty),
            "qty_available": text(qty),
            "side": "long" if qty > 0 else "short",
            "avg_entry_price": text(cost),
            "market_value": text(qty * last),
            "cost_basis": text(qty * cost),
            "unrealized_pl": text(qty * (last - cost)),
            "current_price": text(last),
        }

    def _positions(self, request: Request, rest: list[str]) -> tuple[int, Any]:
        book = self._server.book
        held = [s for s, (qty, _) in book.positions.items() if qty]
        if request.method == "DELETE":
            closing = rest or held
            made = [self._close(symbol, request.query) for symbol in closing]
            if rest:
                return 200, made[0]
            return 207, [{"symbol": s, "status": 200, "body": o} for s, o in zip(closing, made, strict=True)]
        if rest:
            if rest[0] not in held:
                raise Refused(40410000, "position does not exist")
            return 200, self._position(rest[0])
        return 200, [self._position(s) for s in held]

    def _close(self, symbol: str, query: dict[str, str]) -> dict[str, Any]:
        book = self._server.book
        held = book.held(symbol)
        if not held:
            raise Refused(40410000, "position does not exist")
        share = Decimal(query.get("percentage", "100")) / 100
        qty = Decimal(query["qty"]) if "qty" in query else abs(held) * share
        row = {"symbol": symbol, "side": "sell" if held > 0 else "buy", "type": "market", "time_in_force": "day"}
        order = book.read({**row, "qty": str(qty)})
        book.check_power(order)
        book.enter(order, [])
        return self._json(order)

    def _account(self, request: Request, rest: list[str]) -> tuple[int, Any]:
        book = self._server.book
        if rest and rest[0] == "activities":
            return 200, self._activities(request.query)
        if rest:
            raise Refused(40410000, "endpoint not found.")
        value = sum((q * book.quotes[s].last for s, (q, _) in book.positions.items()), Decimal(0))
        equity = str(book.cash + value)
        return 200, {
            "id": asset_id("account"),
            "account_number": self._server.account_number,
            "status": "ACTIVE",
            "currency": "USD",
            "cash": str(book.cash),
            "equity": equity,
            "last_equity": equity,
            "portfolio_value": equity,
            "buying_power": str(book.buying_power()),
            "long_market_value": str(max(value, Decimal(0))),
            "short_market_value": str(min(value, Decimal(0))),
            "multiplier": "1",
            "daytrade_count": 0,
            "pattern_day_trader": False,
            "trading_blocked": False,
            "transfers_blocked": False,
            "account_blocked": False,
            "trade_suspended_by_user": False,
            "shorting_enabled": True,
        }

    def _activities(self, query: dict[str, str]) -> list[dict[str, Any]]:
        rows = [
            {
                "activity_type": "FILL",
                "id": f"{number:020d}::{f.execution_id}",
                "order_id": f.order_id,
                "symbol": f.symbol,
                "side": f.side,
                "qty": text(f.qty),
                "price": text(f.price),
                "transaction_time": rfc3339(f.ns),
            }
            for number, f in enumerate(self._server.book.fills)
        ]
        token = query.get("page_token")
        if query.get("direction", "desc") == "desc":
            rows.reverse()
        if token:
            ids = [r["id"] for r in rows]
            rows = rows[ids.index(token) + 1 :] if token in ids else []
        return rows[: int(query.get("page_size", 100))]

    def _asset(self, symbol: str) -> dict[str, Any]:
        shortable = self._server.book.shortable[symbol]
        row = {"id": asset_id(symbol), "class": "us_equity", "exchange": "NASDAQ", "symbol": symbol, "name": symbol}
        row |= {"status": "active"}
        flags = {"tradable": True, "marginable": True, "fractionable": True}
        return {**row, **flags, "shortable": shortable, "easy_to_borrow": shortable}

    def _assets(self, request: Request, rest: list[str]) -> tuple[int, Any]:
        quotes = self._server.book.quotes
        if rest:
            found = [s for s in quotes if rest[0] in (s, asset_id(s))]
            if not found:
                raise Refused(40410000, f"asset not found for {rest[0]}")
            return 200, self._asset(found[0])
        return 200, [self._asset(s) for s in quotes]

    def _clock(self, request: Request, rest: list[str]) -> tuple[int, Any]:
        now = datetime.fromtimestamp(self._server.clock() / 1e9, UTC).astimezone(ZONE)
        opens, closes = self._session_after(now, 9, 30), self._session_after(now, 16, 0)
        row = {"timestamp": now.isoformat(), "is_open": self._server.book.is_open}
        return 200, {**row, "next_open": opens.isoformat(), "next_close": closes.isoformat()}

    def _session_after(self, now: datetime, hour: int, minute: int) -> datetime:
        moment = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        while moment <= now or moment.weekday() > 4:
            moment += timedelta(days=1)
        return moment

    def _calendar(self, request: Request, rest: list[str]) -> tuple[int, Any]:
        today = datetime.fromtimestamp(self._server.clock() / 1e9, UTC).astimezone(ZONE).date()
        day = date.fromisoformat(request.query.get("start", today.isoformat()))
        end = date.fromisoformat(request.query.get("end", (today + timedelta(days=7)).isoformat()))
        rows = []
        while day <= end:
            if day.weekday() < 5:
                hours = {"open": "09:30", "close": "16:00", "session_open": "0400", "session_close": "2000"}
                rows.append({"date": day.isoformat(), **hours})
            day += timedelta(days=1)
        return 200, rows
