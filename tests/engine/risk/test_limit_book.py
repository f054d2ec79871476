"""Limits: ratchet, hash, edits from outside (T-K10)."""

from typing import Any

import pytest
from pydantic import ValidationError

from engine.bus.clock import SECOND
from engine.bus.errors import IntegrityError
from engine.model.decision import Book, Mode
from engine.model.events.decision import LimitsChanged
from engine.model.events.system import Alarm
from engine.risk.limits import HELD, fingerprint, flat, is_raise
from engine.risk.settings import RiskSettings
from tests.engine.risk.world import DAY, OPEN_NS, World, limits


def test_t_k10_lowering_holds_now_and_raising_from_the_next_session() -> None:
    world = World()
    receipt = world.limits.change({"auto.position_percent": "8", "auto.gross_percent": "90"}, "window")
    assert receipt.ok
    assert world.limits.active.auto.position_percent == 8
    assert world.limits.active.auto.gross_percent == 80
    assert receipt.data["now"] == ["auto.position_percent"]
    assert receipt.data["next_session"] == ["auto.gross_percent"]
    assert [event.effective for event in world.of(LimitsChanged)] == ["now", "2026-03-03"]
    world.clock.advance_to(OPEN_NS + DAY - 1)
    world.limits.roll()
    assert world.limits.active.auto.gross_percent == 80
    world.clock.advance_to(OPEN_NS + DAY)
    world.limits.roll()
    assert world.limits.active.auto.gross_percent == 90
    assert world.limits.pending() == {}


def test_t_k10_a_raise_waits_also_over_a_restart() -> None:
    world = World()
    world.limits.change({"auto.gross_percent": "90"}, "window")
    after = world.restarted()
    assert after.limits.active.auto.gross_percent == 80
    after.clock.advance_to(OPEN_NS + DAY)
    after.limits.roll()
    assert after.limits.active.auto.gross_percent == 90
    assert after.restarted().limits.active.auto.gross_percent == 90


def test_t_k10_raising_needs_the_pin_and_lowering_does_not() -> None:
    world = World()
    world.pin.set("4711")
    assert world.limits.change({"auto.gross_percent": "90"}, "window").code == "PIN"
    assert world.limits.change({"auto.gross_percent": "70"}, "window").ok
    assert world.limits.change({"auto.gross_percent": "90"}, "window", "4711").ok


def test_t_k10_lowering_takes_back_a_raise_that_waits() -> None:
    world = World()
    world.limits.change({"auto.gross_percent": "90"}, "window")
    world.limits.change({"auto.gross_percent": "70"}, "window")
    world.clock.advance_to(OPEN_NS + DAY)
    world.limits.roll()
    assert world.limits.active.auto.gross_percent == 70


def test_t_k10_limits_raised_in_the_file_while_the_program_was_off_wait_for_the_next_session() -> None:
    world = World()
    after = world.restarted(settings=limits({"gross_percent": 90, "position_percent": 8}))
    assert after.limits.active.auto.gross_percent == 80
    assert after.limits.active.auto.position_percent == 8
    after.clock.advance_to(OPEN_NS + DAY)
    after.limits.roll()
    assert after.limits.active.auto.gross_percent == 90


# --- a raise by the file, with real money


def raised_by_file(**more: Any) -> World:
    world = World(book=Book.LIVE, mode=Mode.MANUAL)
    world.pin.set("4711")
    return world.restarted(settings=limits({"gross_percent": 90, "net_percent": 85, "position_percent": 8, **more}))


def test_t_k10_with_real_money_a_raise_by_the_file_waits_for_the_pin_and_a_lower_limit_holds_at_once() -> None:
    world = raised_by_file()
    for _ in range(3):
        world.clock.advance(DAY / SECOND)
        world.limits.roll()
        world = world.restarted(settings=world.settings)
    assert world.limits.active.auto.gross_percent == 80
    assert world.limits.active.auto.position_percent == 8
    assert world.limits.held() == {"auto.gross_percent": ("80", "90"), "auto.net_percent": ("80", "85")}


def test_t_k10_a_raise_by_the_file_holds_from_the_next_session_after_the_pin() -> None:
    world = raised_by_file()
    receipt = world.limits.confirm("auto.gross_percent", "window", "looked at it", "4711")
    assert (receipt.ok, receipt.text) == (True, "It holds from 2026-03-03.")
    assert world.of(LimitsChanged)[-1].changes == {"auto.gross_percent": ("80.0", "90.0")}
    assert set(world.limits.held()) == {"auto.net_percent"}
    assert world.limits.active.auto.gross_percent == 80
    world = world.restarted(settings=world.settings)
    world.clock.advance_to(OPEN_NS + DAY)
    world.limits.roll()
    assert world.limits.active.auto.gross_percent == 90
    assert world.limits.active.auto.net_percent == 80
    assert world.limits.confirm("", "window", "the rest", "4711").ok
    assert world.limits.held() == {}


@pytest.mark.parametrize(
    ("key", "by", "reason", "pin", "code"),
    [
        ("auto.gross_percent", "window", "why", "", "PIN"),
        ("auto.gross_percent", "window", "why", "0000", "PIN"),
        ("auto.gross_percent", "window", " ", "4711", "REASON"),
        ("auto.gross_percent", "agent", "why", "4711", "PERSON"),
        ("auto.position_percent", "window", "why", "4711", "LIMITS"),
    ],
)
def test_t_k10_a_raise_by_the_file_is_confirmed_by_a_person_with_the_pin_and_a_reason(
    key: str, by: str, reason: str, pin: str, code: str
) -> None:
    world = raised_by_file()
    assert world.limits.confirm(key, by, reason, pin).code == code
    assert "auto.gross_percent" in world.limits.held()
    assert world.of(LimitsChanged) == []


def test_t_k10_a_confirmation_that_cannot_be_recorded_confirms_nothing() -> None:
    world = raised_by_file()
    world.store.broken = True
    assert world.limits.confirm("", "window", "why", "4711").code == "JOURNAL"
    world.store.broken = False
    assert len(world.limits.held()) == 2
    world.clock.advance_to(OPEN_NS + DAY)
    world.limits.roll()
    assert world.limits.active.auto.gross_percent == 80


def test_t_k10_a_raise_taken_back_in_the_file_waits_no_longer() -> None:
    world = raised_by_file()
    world.governor.look()
    after = world.restarted(settings=limits({"position_percent": 8}))
    assert after.limits.held() == {}
    assert after.limits.active.auto.gross_percent == 80


def test_t_k10_a_held_raise_is_taken_back_or_confirmed_in_the_pane_of_limits_too() -> None:
    world = raised_by_file()
    assert world.limits.change({"auto.net_percent": "70"}, "window").ok
    assert world.limits.change({"auto.gross_percent": "90"}, "window", "4711").ok
    assert world.limits.held() == {}
    world.clock.advance_to(OPEN_NS + DAY)
    world.limits.roll()
    assert (world.limits.active.auto.gross_percent, world.limits.active.auto.net_percent) == (90, 70)


def test_t_k10_without_a_pin_a_raise_by_the_file_is_held_as_the_window_would_refuse_it() -> None:
    world = World(book=Book.LIVE, mode=Mode.MANUAL)
    assert world.limits.change({"auto.gross_percent": "90"}, "window").code == "PIN"
    after = world.restarted(settings=limits({"gross_percent": 90}))
    assert set(after.limits.held()) == {"auto.gross_percent"}


def test_t_k10_on_paper_a_raise_by_the_file_waits_for_the_session_alone_also_with_a_pin() -> None:
    world = World()
    world.pin.set("4711")
    after = world.restarted(settings=limits({"gross_percent": 90}))
    assert after.limits.held() == {}
    after.clock.advance_to(OPEN_NS + DAY)
    after.limits.roll()
    assert after.limits.active.auto.gross_percent == 90


def test_t_k10_a_person_is_told_of_held_raises_once_and_when_they_are_over() -> None:
    world = raised_by_file()
    for _ in range(2):
        world.governor.look()
    (told,) = [alarm for alarm in world.of(Alarm) if alarm.code == HELD]
    assert told.happened == (
        "Limits were raised in the settings file: auto.gross_percent 80 → 90, auto.net_percent 80 → 85."
    )
    world.limits.confirm("", "window", "why", "4711")
    world.governor.look()
    assert [alarm.cleared for alarm in world.of(Alarm) if alarm.code == HELD] == [False, True]


def test_t_k10_a_settings_file_edited_while_running_ends_in_reduce_only() -> None:
    world = World()
    world.governor.look()
    assert world.modes.mode is Mode.AUTO
    world.disk_hash = "edited"
    world.governor.look()
    assert world.modes.mode is Mode.REDUCE_ONLY


@pytest.mark.parametrize("damage", ["{", "", '{"values": "{}", "hash": "x"}'])
def test_t_k10_stored_limits_damaged_while_running_end_in_reduce_only(damage: str) -> None:
    world = World()
    world.store.values["risk.limits"] = damage
    world.governor.look()
    assert world.modes.mode is Mode.REDUCE_ONLY


def test_t_k10_stored_limits_with_another_hash_are_refused_at_start() -> None:
    world = World()
    text = world.store.values["risk.limits"]
    world.store.values["risk.limits"] = text.replace("80.0", "99.0")
    with pytest.raises(IntegrityError, match="hash"):
        world.restarted()


def test_another_limit_makes_another_hash() -> None:
    world = World()
    before = world.limits.hash
    world.limits.change({"manual.orders_per_day": "99"}, "window")
    assert world.limits.hash != before
    assert world.limits.hash == fingerprint(world.limits.active)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"auto.nonsense": "1"}, "no limit called auto.nonsense"),
        ({"auto.position_percent": "-1"}, "auto.position_percent"),
        ({"auto.position_percent": "0"}, "auto.position_percent"),
        ({"auto.position_percent": "NaN"}, "auto.position_percent"),
        ({"auto.position_percent": "five"}, "auto.position_percent"),
        ({"auto.position_percent": "101"}, "auto.position_percent"),
        ({"auto.positions": "1.5"}, "auto.positions"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_and_names_the_limit(changes: dict[str, str], text: str) -> None:
    world = World()
    before = world.limits.hash
    receipt = world.limits.change(changes, "window")
    assert not receipt.ok
    assert text in receipt.text
    assert world.limits.hash == before


def test_a_raise_that_cannot_be_recorded_does_not_happen_and_a_lowering_holds() -> None:
    world = World()
    world.store.broken = True
    assert world.limits.change({"auto.gross_percent": "90"}, "window").code == "JOURNAL"
    assert world.limits.pending() == {}
    assert not world.limits.change({"auto.gross_percent": "70"}, "window").ok
    assert world.limits.active.auto.gross_percent == 70


@pytest.mark.parametrize(
    ("key", "before", "after", "raises"),
    [
        ("auto.gross_percent", 80, 81, True),
        ("auto.gross_percent", 80, 79, False),
        ("auto.price_floor", 5, 4, True),
        ("auto.cushion_percent", 30, 40, False),
        ("allow_short", False, True, True),
        ("wash_sale_guard", True, False, True),
        ("restricted_list", ("A", "B"), ("A",), True),
        ("restricted_list", ("A",), ("A", "B"), False),
        ("allow_list", ("A",), (), True),
        ("allow_list", (), ("A",), False),
        ("allow_list", ("A",), ("A", "B"), True),
        ("what_if", "required", "full_value", True),
        ("day_trade_regime", "auto", "legacy_pdt", False),
    ],
)
def test_what_counts_as_raising(key: str, before: object, after: object, raises: bool) -> None:
    assert is_raise(key, before, after) is raises


def test_settings_refuse_what_is_out_of_bounds_or_unknown() -> None:
    with pytest.raises(ValidationError):
        RiskSettings.model_validate({"auto": {"gross_percent": float("nan")}})
    with pytest.raises(ValidationError):
        RiskSettings.model_validate({"nonsense": 1})
    with pytest.raises(ValidationError, match="soft"):
        RiskSettings.model_validate({"auto": {"order_notional_soft_percent": 6, "order_notional_percent": 5}})


def test_every_setting_has_a_title_and_a_description() -> None:
    from engine.risk.settings import AutoProfile, CommonLimits, ManualProfile

    for model in (RiskSettings, AutoProfile, ManualProfile, CommonLimits):
        for name, field in model.model_fields.items():
            assert field.title, (model, name)
            assert field.description, (model, name)
    assert len(flat(RiskSettings())) > 110
