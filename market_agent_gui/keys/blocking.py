"""Why nothing that adds risk may go out for a symbol now."""

from collections.abc import Mapping

from market_agent_gui.bridge import EngineBridge, LinkState


def why_not(bridge: EngineBridge, symbol: str, unconfirmed: Mapping[str, str]) -> str:
    """Say in words what stands against it; empty when nothing does. ``unconfirmed``: orders without an answer."""
    if bridge.link is not LinkState.UP:
        return "the engine is not connected"
    if bridge.silent:
        return "the engine does not answer: what is shown is old"
    state = bridge.mirror.state()
    if state is None:
        return "the engine has not told its state yet"
    if state.halted:
        return f"trading is halted: {state.halt_reason}" if state.halt_reason else "trading is halted"
    if state.link != "up":
        return "the broker is not connected"
    price = bridge.mirror.price(symbol)
    if price is None or not price.live:
        return f"{symbol}: the quote is stale or missing"
    position = bridge.mirror.position(symbol)
    if position is not None and position.locked:
        return f"{symbol} is locked: {position.locked}"
    if symbol in unconfirmed:
        return f"{symbol}: {unconfirmed[symbol]} is not confirmed; do not re-enter"
    if any(row.state == "UNKNOWN" for row in bridge.mirror.working(symbol)):
        return f"{symbol}: an order is not confirmed; do not re-enter"
    return ""
