"""What a column is, by its name."""

import re
from collections.abc import Iterable, Mapping

from engine.bus.errors import UserError

ROLES: dict[str, tuple[str, ...]] = {
    "timestamp": (
        *("timestamp", "datetime", "ts", "timeperiod", "opentime", "bartime", "gmttime", "localtime", "dateandtime"),
        *("", "unnamed0", "index", "tradetime", "quotetime", "begin", "start"),
    ),
    "date": ("date", "day", "tradedate", "dt", "caldt", "dtyyyymmdd"),
    "time": ("time", "timeofday", "hour"),
    "end": ("end", "closetime"),
    "open": ("open", "o", "openprice", "openingprice", "first"),
    "high": ("high", "h", "highprice", "max", "highest"),
    "low": ("low", "l", "lowprice", "min", "lowest"),
    "close": ("close", "c", "closeprice", "closelast", "closingprice", "last"),
    "adj_close": ("adjclose", "adjustedclose", "adjcloseprice", "adjustedcloseprice"),
    "volume": ("volume", "vol", "v", "tickvolume", "tickqty", "sharesvolume"),
    "vwap": ("vwap", "vw", "wap", "average"),
    "trades": ("trades", "numberoftrades", "tradecount", "transactions", "barcount", "n"),
    "open_interest": ("openinterest", "oi", "openint"),
    "dividend": ("dividend", "dividends", "divcash", "dividendamount"),
    "split": ("split", "splits", "stocksplits", "splitratio", "splitfactor", "splitcoefficient"),
    "bid": ("bid", "bidprice"),
    "ask": ("ask", "askprice", "offer"),
    "bid_size": ("bidsize", "bidvolume", "bidqty"),
    "ask_size": ("asksize", "askvolume", "askqty", "offersize"),
    "price": ("price", "tradeprice"),
    "size": ("size", "quantity", "qty", "tradesize"),
    "aggressor": ("aggressor", "tradeside"),
    "symbol": ("symbol", "ticker", "sym", "instrument", "tic", "code"),
    "sector": ("sector", "gicssector"),
}
"""Role -> names it goes by, in lower case without punctuation."""

_ROLE_OF = {name: role for role, names in ROLES.items() for name in names}


def guess_roles(names: Iterable[str], said: Mapping[str, str]) -> dict[str, str]:
    """Assign columns to roles; what the person ``said`` comes first. Role -> name of the column.

    Raises ``UserError`` for a said column that does not exist, or two columns that would be the same.
    """
    names = list(names)
    roles: dict[str, str] = {}
    for role, wanted in said.items():
        matches = [name for name in names if name == wanted] or [n for n in names if n.lower() == wanted.lower()]
        if len(matches) != 1:
            shown = ", ".join(repr(name) for name in names)
            raise UserError(f"--map: {role}={wanted}: there is no such column; the file has {shown}")
        roles[role] = matches[0]
    taken = set(roles.values())
    for name in names:
        role = _ROLE_OF.get(plain(name), "")
        if not role or name in taken or role in said:
            continue
        if role in roles:
            if role == "timestamp":
                continue
            raise UserError(f"columns {roles[role]!r} and {name!r} both look like {role}; say {role}=… with --map")
        roles[role] = name
        taken.add(name)
    if "timestamp" not in roles and "date" in roles and "time" not in roles:
        roles["timestamp"] = roles.pop("date")
    elif "timestamp" not in roles and "date" not in roles and "time" in roles:
        roles["timestamp"] = roles.pop("time")
    elif "timestamp" in roles:
        for other in ("date", "time"):
            if other not in said:
                roles.pop(other, None)
    return roles


def plain(name: str) -> str:
    """A name in lower case without punctuation: ``Adj Close`` and ``<ADJ_CLOSE>`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
