"""Latches: durable, lifted once that is stored, by themselves only where they may."""

import pytest

from engine.bus.errors import IntegrityError, JournalError
from engine.model.decision import Mode
from engine.risk.latches import KEY, Latch, Latches
from tests.engine.risk.world import MemoryStore


def latch(code: str = "G17", **changes: object) -> Latch:
    return Latch(**{"code": code, "text": "why", "date": "2026-03-02", "since_ns": 1, **changes})


def test_a_latch_is_set_once_and_an_earlier_one_stays() -> None:
    latches = Latches(MemoryStore())
    assert latches.trip(latch(text="first"))
    assert not latches.trip(latch(text="second"))
    assert latches.trip(latch(scope="momentum"))
    assert [one.text for one in latches.all().values()] == ["first", "why"]


def test_a_latch_survives_a_restart_and_so_does_its_lifting() -> None:
    store = MemoryStore()
    latches = Latches(store)
    latches.trip(latch())
    latches.trip(latch(scope="momentum"))
    again = Latches(store)
    again.load()
    assert dict(again.all()) == dict(latches.all())
    assert again.lift("G17") == latch()
    assert again.lift("G17") is None
    third = Latches(store)
    third.load()
    assert third.get("G17") is None
    assert third.get("G17", "momentum") is not None


def test_a_latch_holds_though_it_could_not_be_stored_and_its_lifting_does_not() -> None:
    store = MemoryStore()
    latches = Latches(store)
    store.broken = True
    with pytest.raises(JournalError):
        latches.trip(latch())
    assert latches.get("G17") is not None
    with pytest.raises(JournalError):
        latches.lift("G17")
    assert latches.get("G17") is not None


def test_damaged_latches_are_no_latches_lifted() -> None:
    store = MemoryStore()
    store.values[KEY] = "[{"
    with pytest.raises(IntegrityError, match="latches cannot be read"):
        Latches(store).load()


def test_only_what_needs_no_person_falls_and_only_on_another_date() -> None:
    store = MemoryStore()
    latches = Latches(store)
    latches.trip(latch("G17", needs_person=False))
    latches.trip(latch("G18"))
    assert latch("G18").needs_person
    assert latches.roll("2026-03-02") == ()
    assert set(latches.all()) == {"G17", "G18"}
    assert latches.roll("2026-03-03") == (latch("G17", needs_person=False),)
    assert set(latches.all()) == {"G18"}
    again = Latches(store)
    again.load()
    assert set(again.all()) == {"G18"}


def test_the_lowest_ceiling_holds_and_the_first_of_equals_says_so() -> None:
    latches = Latches(MemoryStore())
    assert latches.ceiling() == (Mode.AUTO, None)
    latches.trip(latch("G10", scope="momentum", ceiling=Mode.OBSERVE))
    assert latches.ceiling() == (Mode.AUTO, None)
    first, second = latch("A", ceiling=Mode.MANUAL), latch("B", ceiling=Mode.MANUAL)
    latches.trip(first)
    latches.trip(second)
    assert latches.ceiling() == (Mode.MANUAL, first)
    lowest = latch("C", ceiling=Mode.REDUCE_ONLY)
    latches.trip(lowest)
    latches.trip(latch("D", ceiling=Mode.MANUAL))
    assert latches.ceiling() == (Mode.REDUCE_ONLY, lowest)
