"""News of the gateway: providers, headlines, bulletins."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Headline:
    """One item; `stamp` is the time as historical news carries it."""

    ts_ns: int
    stamp: str
    con_id: int
    provider: str
    article_id: str
    headline: str
    body: str


@dataclass
class News:
    providers: tuple[tuple[str, str], ...] = (
        ("BRFG", "Briefing.com General Market Columns"),
        ("BRFUPDN", "Briefing.com Analyst Actions"),
        ("DJNL", "Dow Jones Newsletters"),
    )
    items: list[Headline] = field(default_factory=list)
    bulletins: list[tuple[int, int, str, str]] = field(default_factory=list)
