"""The page that is there when the engine is not: what works at the broker now, and what a person can do."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from engine.bus.clock import SECOND
from engine.model.order import OrderState

JOURNAL_FILE = "journal.db"
PAGE = "ENGINE-GONE.txt"
_DONE = tuple(state.value for state in OrderState if state.closed)


class Working(NamedTuple):
    """An order that may be at work at the broker, as the journal last knew it."""

    ref: str
    account: str
    symbol: str
    side: str
    quantity: str
    filled: str
    state: str


def working_orders(profile: Path) -> tuple[Working, ...] | None:
    """What the journal says may be at work; None when it cannot be read."""
    path = profile / JOURNAL_FILE
    if not path.exists():
        return ()
    marks = ", ".join("?" for _ in _DONE)
    try:
        connection = sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True, timeout=2.0)
        try:
            found = connection.execute(
                "SELECT ref, account, symbol, side, quantity, filled, state FROM orders "
                f"WHERE live = 1 AND state NOT IN ({marks}) ORDER BY symbol, ref",
                _DONE,
            ).fetchall()
        finally:
            connection.close()
    except sqlite3.Error:
        return None
    return tuple(Working(*map(str, row)) for row in found)


def steps(now_ns: int, what: str, plan: str, orders: tuple[Working, ...] | None) -> str:
    """Write the page: plain text, shortest way first."""
    when = datetime.fromtimestamp(now_ns // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    lines = [f"MARKET AGENT  {when}", "", what, plan, "", "What happens without the engine", ""]
    lines += [
        "  - Stops and targets at the broker stay and work.",
        "  - Entries of the agent expire at the broker within five minutes.",
        "  - Orders you placed by hand work until their own time is over.",
        "  - The simulated market and the paper exchange stand still.",
        "",
        "What you can do now",
        "",
        "  1. Open the broker's own program or app (TWS or IBKR Mobile; the Alpaca dashboard).",
        "  2. Look at orders and positions there: that is the truth.",
        "  3. Cancel there what you do not want. If you cannot get in, call the broker's trade desk;",
        "     its number and your account's number should be on paper, not only in this computer.",
        "  4. Do not enter again what you are not sure of: it may be at work.",
        "  5. Start the engine again (main.py run, or the window). It asks the broker before it sends anything.",
        "  6. To keep it from trading when it starts: main.py halt",
        "",
        "Orders that may be at work, as last recorded",
        "",
    ]
    if orders is None:
        lines.append("  The journal cannot be read. Only the broker knows.")
    elif not orders:
        lines.append("  None.")
    else:
        lines += [
            f"  {o.symbol:<8} {o.side:<4} {o.quantity:>10}  filled {o.filled:<10} {o.state:<14} {o.ref}" for o in orders
        ]
    return "\n".join(lines) + "\n"
