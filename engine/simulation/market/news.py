"""News of a session: what the public reads, and the truth kept apart from it."""

from dataclasses import dataclass

import numpy as np

from engine.simulation.market.daily import DailyColumns, DailyTable
from engine.simulation.market.draws import bits, child_key, uniform
from engine.simulation.market.instruments import SimInstrument
from engine.simulation.market.news_text import AMOUNTS, BROKERS, CONFIRMED, DENIED, RUMOURS, NewsKind, kinds_of
from engine.simulation.market.sessions import SLOT_SECONDS, SessionDay
from engine.simulation.market.share_kernel import NO_IMPACT, RUMOUR
from engine.simulation.market.slot_kernel import jump_nodes

SECOND = 1_000_000_000
PRE_MARKET_SECONDS = 5400
"""News before the open falls into the last 90 minutes before it."""


@dataclass(frozen=True, slots=True)
class SimNews:
    """One item as a reader sees it."""

    id: str
    ts_ns: int
    """When the price begins to move, UTC ns."""
    published_ns: int
    """When the text can be read: 0–120 s later."""
    symbol: str
    kind: str
    headline: str
    body: str
    split: str
    """`train` or `blind`: which templates it was written from."""


@dataclass(frozen=True, slots=True)
class SimNewsTruth:
    """What only the simulation knows about an item."""

    id: str
    symbol: str
    label: int
    """Sentiment of the text, -1 or +1."""
    impact: float
    """Immediate simple return it caused; 0 for news that was already in the price."""
    outcome: str
    """`genuine`, `no_impact`, `rumour`, `confirmed` or `reversed`."""


def news_of(
    table: DailyTable, columns: DailyColumns, instruments: tuple[SimInstrument, ...], session: SessionDay
) -> tuple[tuple[SimNews, SimNewsTruth], ...]:
    """All items of one session with their truth, by time of publication."""
    row = table.row(session.index)
    items: list[tuple[SimNews, SimNewsTruth]] = []
    slots = session.seconds // SLOT_SECONDS
    for s in np.flatnonzero((columns.news_class[:, row] != 0) | (columns.resolved[:, row] != 0)):
        instrument, key = instruments[s], child_key(child_key(table.share_key(int(s)), 30), session.index)
        resolved = int(columns.resolved[s, row])
        if resolved:
            # The rumour of the session before: its sign says which way a confirmation moves the price.
            sign = int(columns.news_sign[s, row - 1]) * resolved
            impact = resolved * float(columns.news_impact[s, row - 1])
            start = session.open_ns - int(600 + uniform(key, 40) * (PRE_MARKET_SECONDS - 600)) * SECOND
            outcome, kind = ("confirmed", CONFIRMED) if resolved > 0 else ("reversed", DENIED)
            items.append(_item(table, instrument, kind, session, start, key, 1, sign, impact, outcome))
        what = int(columns.news_class[s, row])
        if what:
            sign = int(columns.news_sign[s, row])
            slot = int(columns.news_slot[s, row])
            if slot < 0:
                start = session.open_ns - int(300 + uniform(key, 41) * (PRE_MARKET_SECONDS - 300)) * SECOND
            else:
                if columns.jump[s, row] != 0.0:
                    slot = jump_nodes(slot, float(columns.jump[s, row]), -1, 0.0, slots)[0]
                start = session.open_ns + min(slot, slots - 3) * SLOT_SECONDS * SECOND
            choice = RUMOURS[sign] if what == RUMOUR else kinds_of(sign)[int(uniform(key, 42) * len(kinds_of(sign)))]
            outcome = "rumour" if what == RUMOUR else ("no_impact" if what == NO_IMPACT else "genuine")
            impact = float(columns.news_impact[s, row])
            items.append(_item(table, instrument, choice, session, start, key, 0, sign, impact, outcome))
    return tuple(sorted(items, key=lambda item: (item[0].published_ns, item[0].id)))


def _item(
    table: DailyTable,
    instrument: SimInstrument,
    kind: NewsKind,
    session: SessionDay,
    start: int,
    key: np.uint64,
    number: int,
    sign: int,
    impact: float,
    outcome: str,
) -> tuple[SimNews, SimNewsTruth]:
    own = child_key(key, number)
    split = "blind" if uniform(own, 0) < table.world.blind_share else "train"
    templates = kind.blind if split == "blind" else kind.train
    words = {
        "name": instrument.name.removesuffix(" (simulated)"),
        "symbol": instrument.symbol,
        "p": 2 + int(uniform(own, 1) * 18.0),
        "n": 2 + int(uniform(own, 2) * 6.0),
        "eps": f"{0.2 + 4.0 * uniform(own, 3):.2f}",
        "broker": BROKERS[int(uniform(own, 4) * len(BROKERS))],
        "amount": AMOUNTS[int(uniform(own, 5) * len(AMOUNTS))],
    }
    headline = templates[int(uniform(own, 6) * len(templates))].format(**words)
    # 0–120 s after the move starts; the nanoseconds keep two items apart.
    published = start + int(uniform(own, 7) * 120.0 * SECOND)
    name = f"sim-{session.index}-{instrument.symbol}-{int(bits(own, 8)) & 0xFFFF:04x}{number}"
    news = SimNews(name, start, published, instrument.symbol, kind.kind, headline, kind.body.format(**words), split)
    return news, SimNewsTruth(name, instrument.symbol, sign, impact, outcome)
