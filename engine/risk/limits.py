"""The limits in force: hash, ratchet (lower now, raise at the next session), proof that nobody edited them.

With real money a raise needs the PIN whatever way it comes: one that was written into the settings file while the
program was off is held back until a person confirms it.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError

from engine.api.commands import Receipt
from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import IntegrityError, JournalError
from engine.model.decision import PEOPLE
from engine.model.events.decision import LimitsChanged
from engine.model.market import Session
from engine.risk.pin import Pin
from engine.risk.ports import Store
from engine.risk.settings import RiskSettings

KEY = "risk.limits"
HELD = "RAISED"
"""Code of a raise by the settings file that waits for the PIN; a person confirms it as they arm a latch again."""
SAFER_HIGH = frozenset(
    {
        "price_floor",
        "cushion_percent",
        "duplicate_seconds",
        "adv_notional_floor",
        "identical_minutes",
        "after_open_minutes",
        "before_close_minutes",
        "resume_minutes",
        "rejects_minutes",
        "fill_drift_minutes",
        "clock_step_pause_s",
        "jump_down",
        "shortable_least",
        "short_cover",
        "wash_sale_days",
        "day_trades_reserve",
        "disk_warn_mb",
        "disk_stop_mb",
        "initial_margin_rate",
        "first_sessions",
        "lease_warn_minutes",
        "crash_minutes",
        "pin_delay_minutes",
        "wash_sale_guard",
        "live_auto_needs_pin",
        "flatten_on_day_loss",
        "restricted_list",
    }
)
"""Keys whose larger value is the safer one; for all others the smaller."""


def fault(settings: BaseModel) -> str | None:
    """Name the first limit that is absent, not a number or not above zero; None when all are sound."""
    for name, declared in type(settings).model_fields.items():
        value = getattr(settings, name, None)
        if isinstance(value, BaseModel):
            inner = fault(value)
            if inner is not None:
                return f"{name}.{inner}"
        elif declared.annotation in (int, float):
            if not _sound(value):
                return name
        elif value is None:
            return name
    return None


def _sound(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value > 0  # type: ignore[arg-type,operator]


def fingerprint(settings: RiskSettings) -> str:
    """Return the hash that every order carries."""
    text = json.dumps(settings.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def flat(settings: RiskSettings) -> dict[str, Any]:
    """Return the settings as dotted keys."""
    found: dict[str, Any] = {}
    for key, value in settings.model_dump(mode="python").items():
        if isinstance(value, dict):
            found.update({f"{key}.{inner}": v for inner, v in value.items()})
        else:
            found[key] = value
    return found


def is_raise(key: str, before: Any, after: Any) -> bool:
    """Say whether a change allows more risk than before."""
    name = key.rsplit(".", 1)[-1]
    if isinstance(before, tuple | list):
        had, has = set(before), set(after)
        if name == "restricted_list":
            return not had <= has
        if not has and name == "allow_list":
            return bool(had)
        return not has <= had if had or name != "allow_list" else False
    if name == "what_if":
        return bool(after == "full_value" and before == "required")
    if name == "day_trade_regime":
        order = ("legacy_pdt", "auto", "intraday_margin")
        return order.index(after) > order.index(before)
    return bool(after < before) if name in SAFER_HIGH else bool(after > before)


class _Pending(msgspec.Struct, kw_only=True):
    text: str
    at_ns: int
    effective: str
    held: bool = False
    """It comes from the settings file and waits for a person's PIN; ``at_ns`` says nothing yet."""


class _Stored(msgspec.Struct, kw_only=True):
    values: str
    """The settings in force, as JSON."""
    hash: str
    source: str = ""
    """Hash of the settings file's limits that they were taken from."""
    pending: dict[str, _Pending] = {}


class LimitBook:
    """Owns the limits. Reads are plain attributes; only a person changes them."""

    def __init__(
        self,
        configured: RiskSettings,
        *,
        store: Store,
        clock: Clock,
        bus: Bus,
        pin: Pin,
        session_at: Callable[[int], Session | None],
        on_disk: Callable[[], str | None] | None = None,
        real_money: bool = False,
    ) -> None:
        """``session_at`` is the main calendar; ``on_disk`` hashes the limits as the settings file has them now.

        ``real_money``: what the settings file raised waits for the PIN.
        """
        self._real_money = real_money
        self._configured = configured
        self._store = store
        self._clock = clock
        self._bus = bus
        self._pin = pin
        self._session_at = session_at
        self._on_disk = on_disk
        self._disk_at_start: str | None = None
        self._written: str | None = None
        self._pending: dict[str, _Pending] = {}
        self.active = configured
        self.fault: str | None = fault(configured)
        self.hash = fingerprint(configured) if self.fault is None else ""

    def load(self) -> None:
        """Take up where the last run was: what the settings file raised meanwhile waits for the next session.

        Or, with real money, for the PIN and then for the next session.
        """
        self._disk_at_start = self._on_disk() if self._on_disk is not None else None
        text = self._store.get(KEY)
        if text is None:
            self._save()
            return
        try:
            stored = msgspec.json.decode(text, type=_Stored)
            before = RiskSettings.model_validate_json(stored.values)
        except (msgspec.MsgspecError, ValidationError) as error:
            raise IntegrityError(f"the stored limits cannot be read: {error}") from error
        if fingerprint(before) != stored.hash:
            raise IntegrityError("the stored limits do not match their hash")
        self._pending = stored.pending
        configured_hash = fingerprint(self._configured)
        if configured_hash == stored.source:
            self._use(before)
        else:
            self._take_over(before)
        self.roll()
        self._save()

    def _take_over(self, before: RiskSettings) -> None:
        was, now = flat(before), flat(self._configured)
        lowered = {k: v for k, v in now.items() if v != was.get(k) and k in was and not is_raise(k, was[k], v)}
        raised = {k: v for k, v in now.items() if k in was and v != was[k] and k not in lowered}
        at, effective = self._next_session()
        held = self._real_money and bool(self._pin.check(""))
        self._pending = {
            k: _Pending(text=json.dumps(v), at_ns=at, effective="with the PIN" if held else effective, held=held)
            for k, v in raised.items()
        }
        self._use(_merge(before, lowered))

    def held(self) -> dict[str, tuple[str, str]]:
        """Return what the settings file raised and a person has not confirmed: key -> (in force, wanted)."""
        was = flat(self.active)
        return {k: (_written(was[k]), _written(json.loads(v.text))) for k, v in self._pending.items() if v.held}

    def confirm(self, key: str, by: str, reason: str, pin: str = "") -> Receipt:
        """Let what the settings file raised come into force at the next session; ``key`` empty: all of it."""
        keys = [k for k, v in self._pending.items() if v.held and key in ("", k)]
        if not keys:
            return Receipt(ok=False, code="LIMITS", text="Nothing of that name waits for the PIN.")
        if by not in PEOPLE:
            return Receipt(ok=False, code="PERSON", text="Only a person raises a limit.")
        if not reason.strip():
            return Receipt(ok=False, code="REASON", text="Say why.")
        if why := self._pin.check(pin):
            return Receipt(ok=False, code="PIN", text=why)
        at, effective = self._next_session()
        before = self._pending
        confirmed = {k: _Pending(text=before[k].text, at_ns=at, effective=effective) for k in keys}
        self._pending = {**before, **confirmed}
        try:
            self._save()
        except JournalError as error:
            self._pending = before
            return Receipt(ok=False, code="JOURNAL", text=f"The change could not be recorded: {error}")
        was = flat(self.active)
        self._tell(by, {k: (str(was[k]), str(json.loads(before[k].text))) for k in keys}, effective)
        return Receipt(ok=True, text=f"It holds from {effective}.", data={"next_session": keys})

    def change(self, changes: Mapping[str, str], by: str, pin: str = "") -> Receipt:
        """Change limits by dotted key (``auto.position_percent``): lower now, raise at the next session with PIN."""
        if self.fault is not None:
            return Receipt(ok=False, code="LIMITS", text=f"The limit {self.fault} is missing or not a number.")
        was = flat(self.active)
        values: dict[str, Any] = {}
        for key, text in changes.items():
            if key not in was:
                return Receipt(ok=False, code="LIMITS", text=f"There is no limit called {key}.")
            values[key] = _parse(text)
        try:
            merged = _merge(self.active, values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or next(iter(changes), "")
            return Receipt(ok=False, code="LIMITS", text=f"{where}: {first['msg']}.")
        now = flat(merged)
        raised = {k for k in values if is_raise(k, was[k], now[k])}
        if raised and by not in PEOPLE:
            return Receipt(ok=False, code="PERSON", text="Only a person raises a limit.")
        if raised and (why := self._pin.check(pin)):
            return Receipt(ok=False, code="PIN", text=why)
        lowered = {k: now[k] for k in values if k not in raised}
        at, effective = self._next_session()
        before_pending, before_active = dict(self._pending), self.active
        for key in values:
            self._pending.pop(key, None)
        for key in raised:
            self._pending[key] = _Pending(text=json.dumps(now[key]), at_ns=at, effective=effective)
        self._use(_merge(self.active, lowered))
        try:
            self._save()
        except JournalError as error:
            # Lowered limits hold even when they cannot be recorded; raised ones do not.
            self._pending = before_pending
            if not lowered:
                self._use(before_active)
            return Receipt(ok=False, code="JOURNAL", text=f"The change could not be recorded: {error}")
        self._tell(by, {k: (str(was[k]), str(now[k])) for k in lowered}, "now")
        self._tell(by, {k: (str(was[k]), str(now[k])) for k in sorted(raised)}, effective)
        data: dict[str, object] = {"hash": self.hash, "now": sorted(lowered), "next_session": sorted(raised)}
        text = "Changed now." if not raised else f"Lower limits hold now, higher ones from {effective}."
        return Receipt(ok=True, text=text, data=data)

    def roll(self) -> None:
        """Let raised limits come into force when their session has begun."""
        now = self._clock.now()
        due = {k: v for k, v in self._pending.items() if v.at_ns <= now and not v.held}
        if not due:
            return
        was = flat(self.active)
        values = {k: json.loads(v.text) for k, v in due.items()}
        self._use(_merge(self.active, values))
        self._pending = {k: v for k, v in self._pending.items() if k not in due}
        self._save()
        self._tell("engine", {k: (str(was[k]), str(v)) for k, v in values.items()}, "now")

    def pending(self) -> dict[str, tuple[str, str]]:
        """Return what is waiting: key -> (value, effective)."""
        return {k: (v.text, v.effective) for k, v in self._pending.items()}

    def verify(self) -> str | None:
        """Say why the limits can no longer be trusted, None when they can."""
        if self.fault is not None:
            return f"the limit {self.fault} is missing or not a number"
        if self._store.get(KEY) != self._written:
            return "the stored limits were changed from outside"
        if self._on_disk is not None and self._on_disk() != self._disk_at_start:
            return "the limits in the settings file were edited while the program runs"
        return None

    def _use(self, settings: RiskSettings) -> None:
        self.active = settings
        self.fault = fault(settings)
        self.hash = fingerprint(settings) if self.fault is None else ""

    def _next_session(self) -> tuple[int, str]:
        now = self._clock.now()
        session = self._session_at(now)
        if session is None or session.next_open_ns <= now:
            return now + 86_400 * SECOND, "in 24 hours"
        following = self._session_at(session.next_open_ns)
        return session.next_open_ns, following.date if following is not None else "the next session"

    def _save(self) -> None:
        stored = _Stored(
            values=self.active.model_dump_json(),
            hash=self.hash,
            source=fingerprint(self._configured) if fault(self._configured) is None else "",
            pending=self._pending,
        )
        text = msgspec.json.encode(stored).decode()
        self._store.set(KEY, text)
        self._written = text

    def _tell(self, by: str, changes: dict[str, tuple[str, str]], effective: str) -> None:
        if changes:
            now = self._clock.now()
            self._bus.publish(
                LimitsChanged(
                    ts_event=now, ts_init=now, by=by, changes=changes, limits_hash=self.hash, effective=effective
                )
            )


def _merge(settings: RiskSettings, values: Mapping[str, Any]) -> RiskSettings:
    tree = settings.model_dump(mode="python")
    for key, value in values.items():
        *path, last = key.split(".")
        node = tree
        for part in path:
            node = node[part]
        node[last] = value
    return RiskSettings.model_validate(tree)


def _written(value: Any) -> str:
    """A limit as people write it: 80 and not 80.0."""
    return f"{value:.12g}" if isinstance(value, float) else json.dumps(value)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
