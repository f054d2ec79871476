"""The bus delivers by exact type, in order, and isolates what fails."""

from engine.bus.bus import Bus, Role
from engine.model.events.market import FeedStale, ProviderConnected, ProviderLost


def connected(name: str) -> ProviderConnected:
    return ProviderConnected(ts_event=1, ts_init=1, source=name)


def lost(name: str) -> ProviderLost:
    return ProviderLost(ts_event=1, ts_init=1, source=name)


def failing_bus() -> tuple[Bus, list[tuple[str, Role, str]]]:
    failures: list[tuple[str, Role, str]] = []
    return Bus(lambda owner, role, event, error: failures.append((owner, role, str(error)))), failures


def test_a_handler_sees_only_its_own_type():
    bus, _ = failing_bus()
    seen: list[object] = []
    bus.subscribe(ProviderConnected, seen.append, owner="test")
    bus.publish(lost("a"))
    bus.publish(connected("a"))
    assert seen == [connected("a")]


def test_an_event_published_in_a_handler_comes_after_the_one_being_delivered():
    bus, _ = failing_bus()
    order: list[str] = []
    bus.subscribe(ProviderConnected, lambda e: (order.append("first:connected"), bus.publish(lost("x"))), owner="first")
    bus.subscribe(ProviderConnected, lambda e: order.append("second:connected"), owner="second")
    bus.subscribe(ProviderLost, lambda e: order.append("lost"), owner="third")
    bus.publish(connected("x"))
    assert order == ["first:connected", "second:connected", "lost"]


def test_a_failing_observer_is_reported_and_the_others_still_hear():
    bus, failures = failing_bus()
    seen: list[object] = []

    def broken(event: ProviderConnected) -> None:
        raise ValueError("no")

    bus.subscribe(ProviderConnected, broken, owner="broken")
    bus.subscribe(ProviderConnected, seen.append, owner="well", role=Role.DECIDER)
    bus.publish(connected("a"))
    assert seen == [connected("a")]
    assert failures == [("broken", Role.OBSERVER, "no")]


def test_an_unsubscribed_handler_hears_nothing_more():
    bus, _ = failing_bus()
    seen: list[object] = []
    stop = bus.subscribe(FeedStale, seen.append, owner="test")
    stop()
    bus.publish(FeedStale(ts_event=1, ts_init=1, source="s"))
    assert seen == []
    assert bus.subscribers(FeedStale) == ()
