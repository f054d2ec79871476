"""Tables of the two databases, as SQLAlchemy Core. Money is decimal text, time is UTC ns, records are msgpack.

``journal.db`` holds what money depends on; ``market.db`` what was seen and thought.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.types import REAL

JOURNAL = MetaData()
MARKET = MetaData()

BIG = BigInteger().with_variant(Integer(), "sqlite")

orders = Table(
    "orders",
    JOURNAL,
    Column("ref", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("live", Integer, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("filled", Text, nullable=False),
    Column("created_ns", BIG, nullable=False),
    Column("changed_ns", BIG, nullable=False),
    Column("record", LargeBinary, nullable=False),
    sqlite_strict=True,
)
Index("orders_live", orders.c.live, orders.c.changed_ns)

order_log = Table(
    "order_log",
    JOURNAL,
    Column("seq", Integer, primary_key=True),
    Column("ref", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ts_ns", BIG, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_strict=True,
)
Index("order_log_ref", order_log.c.ref, order_log.c.seq)

fills = Table(
    "fills",
    JOURNAL,
    Column("exec_id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("ref", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("price", Text, nullable=False),
    Column("commission", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("ts_event", BIG, nullable=False),
    Column("ts_seen", BIG, nullable=False),
    Column("liquidity", Text, nullable=False),
    sqlite_strict=True,
)
Index("fills_time", fills.c.ts_event)

counters = Table(
    "counters",
    JOURNAL,
    Column("key", Text, primary_key=True),
    Column("date", Text, primary_key=True),
    Column("value", BIG, nullable=False),
    sqlite_strict=True,
)

kv = Table(
    "kv",
    JOURNAL,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_ns", BIG, nullable=False),
    sqlite_strict=True,
)

suggestions = Table(
    "suggestions",
    JOURNAL,
    Column("id", Text, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("live", Integer, nullable=False),
    Column("made_ns", BIG, nullable=False),
    Column("expires_ns", BIG, nullable=False),
    Column("changed_ns", BIG, nullable=False),
    Column("record", LargeBinary, nullable=False),
    sqlite_strict=True,
)
Index("suggestions_live", suggestions.c.live, suggestions.c.made_ns)

audit = Table(
    "audit",
    JOURNAL,
    Column("seq", Integer, primary_key=True),
    Column("ts_ns", BIG, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    sqlite_strict=True,
)

APPEND_ONLY = (order_log, audit)

decisions = Table(
    "decisions",
    MARKET,
    Column("seq", Integer, primary_key=True),
    Column("ts_ns", BIG, nullable=False),
    Column("event", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("suggestion_id", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_strict=True,
)
Index("decisions_suggestion", decisions.c.suggestion_id)
Index("decisions_time", decisions.c.ts_ns)

forecasts = Table(
    "forecasts",
    MARKET,
    Column("seq", Integer, primary_key=True),
    Column("ts_ns", BIG, nullable=False),
    Column("source", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("horizon", Text, nullable=False),
    Column("score", REAL, nullable=True),
    Column("probability", REAL, nullable=True),
    Column("payload", LargeBinary, nullable=False),
    sqlite_strict=True,
)
Index("forecasts_source", forecasts.c.source, forecasts.c.ts_ns)
Index("forecasts_symbol", forecasts.c.symbol, forecasts.c.ts_ns)

news = Table(
    "news",
    MARKET,
    Column("id", Text, primary_key=True),
    Column("ts_ns", BIG, nullable=False),
    Column("seen_ns", BIG, nullable=False),
    Column("event", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("symbols", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_strict=True,
)
Index("news_time", news.c.ts_ns)
