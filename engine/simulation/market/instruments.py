"""The instruments of the simulation: plausible names and sizes, invented prices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.simulation.market.draws import name_key, uniform

SECTORS = (
    "Technology", "Communication", "Consumer Cyclical", "Consumer Defensive", "Financials", "Health Care",
    "Industrials", "Energy", "Materials", "Utilities", "Real Estate",
)  # fmt: skip

# symbol | name | sector number | price | average daily volume in millions of shares
_UNIVERSE = """
AAPL Apple|0|190|55
MSFT Microsoft|0|420|22
NVDA NVIDIA|0|125|240
AVGO Broadcom|0|165|25
AMD Advanced Micro Devices|0|155|50
ORCL Oracle|0|140|9
CRM Salesforce|0|260|6
ADBE Adobe|0|520|3
CSCO Cisco|0|49|18
INTC Intel|0|31|55
IBM IBM|0|185|4
QCOM Qualcomm|0|170|9
TXN Texas Instruments|0|195|5
MU Micron|0|118|19
AMAT Applied Materials|0|205|6
NOW ServiceNow|0|760|1.3
PANW Palo Alto Networks|0|320|4
SNOW Snowflake|0|150|6
PLTR Palantir|0|28|55
SHOP Shopify|0|68|9
GOOGL Alphabet|1|172|26
META Meta Platforms|1|490|15
NFLX Netflix|1|640|3.5
DIS Walt Disney|1|101|10
CMCSA Comcast|1|39|19
T AT&T|1|18|35
VZ Verizon|1|40|18
TMUS T-Mobile US|1|178|4
SNAP Snap|1|15|28
ROKU Roku|1|60|4
AMZN Amazon|2|183|42
TSLA Tesla|2|185|95
HD Home Depot|2|345|3.4
MCD McDonald's|2|262|3.6
NKE Nike|2|93|10
SBUX Starbucks|2|79|11
LOW Lowe's|2|226|2.6
BKNG Booking|2|3850|0.25
F Ford|2|12|52
GM General Motors|2|46|13
UBER Uber|2|70|18
ABNB Airbnb|2|148|5
CMG Chipotle|2|62|9
LULU Lululemon|2|305|2.2
RIVN Rivian|2|11|34
PG Procter & Gamble|3|166|6
KO Coca-Cola|3|63|13
PEP PepsiCo|3|168|5
WMT Walmart|3|67|16
COST Costco|3|850|1.9
PM Philip Morris|3|102|5
MO Altria|3|46|9
CL Colgate|3|96|4
MDLZ Mondelez|3|67|7
TGT Target|3|146|4
JPM JPMorgan|4|200|9
BAC Bank of America|4|39|36
WFC Wells Fargo|4|58|17
GS Goldman Sachs|4|458|2.1
MS Morgan Stanley|4|98|7
V Visa|4|275|6
MA Mastercard|4|450|2.6
AXP American Express|4|232|2.8
SCHW Charles Schwab|4|73|7
BLK BlackRock|4|785|0.6
C Citigroup|4|62|13
PYPL PayPal|4|62|13
COIN Coinbase|4|235|9
SOFI SoFi|4|7.2|42
HOOD Robinhood|4|21|18
UNH UnitedHealth|5|500|3.4
JNJ Johnson & Johnson|5|148|7
LLY Eli Lilly|5|820|2.9
PFE Pfizer|5|28|36
MRK Merck|5|128|8
ABBV AbbVie|5|165|5
TMO Thermo Fisher|5|570|1.4
ABT Abbott|5|104|5
AMGN Amgen|5|305|2.3
MRNA Moderna|5|135|5
CAT Caterpillar|6|340|2.9
BA Boeing|6|182|6
GE GE Aerospace|6|162|5
HON Honeywell|6|206|2.8
UPS United Parcel|6|140|3.6
LMT Lockheed Martin|6|465|1.1
DE Deere|6|380|1.5
DAL Delta|6|50|9
UNP Union Pacific|6|228|2.3
FDX FedEx|6|252|1.7
XOM Exxon Mobil|7|114|16
CVX Chevron|7|157|8
COP ConocoPhillips|7|115|6
SLB Schlumberger|7|46|11
OXY Occidental|7|62|9
LIN Linde|8|440|1.8
FCX Freeport-McMoRan|8|49|13
NEM Newmont|8|42|11
DOW Dow|8|56|5
NUE Nucor|8|165|1.7
NEE NextEra|9|73|11
DUK Duke Energy|9|102|3
SO Southern|9|79|4.4
AES AES|9|19|8
PCG PG&E|9|18|14
PLD Prologis|10|112|4
AMT American Tower|10|193|2.2
O Realty Income|10|53|5
SPG Simon Property|10|150|1.6
EQIX Equinix|10|770|0.5
"""


@dataclass(frozen=True, slots=True)
class SimInstrument:
    """One simulated share; the prices are invented whatever the symbol."""

    symbol: str
    name: str
    sector: str
    tick: float
    """Smallest price step, in the currency."""
    adv: float
    """Average daily volume, shares."""
    start_price: float
    """Price just before the open of the anchor session."""
    spread_ticks: int
    """Usual bid-offer spread, ticks."""

    def __post_init__(self) -> None:
        if not self.symbol or not self.symbol.isprintable():
            raise ValueError(f"SimInstrument.symbol: {self.symbol!r} is not a symbol")
        if self.sector not in SECTORS:
            raise ValueError(f"SimInstrument.sector: {self.sector!r} is not one of {', '.join(SECTORS)}")
        for field in ("tick", "adv", "start_price"):
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"SimInstrument.{field}: {value!r} is not a positive number")
        if self.start_price < 10 * self.tick:
            raise ValueError(f"SimInstrument.start_price: {self.start_price} is less than ten ticks of {self.tick}")
        if not 1 <= self.spread_ticks <= 50:
            raise ValueError(f"SimInstrument.spread_ticks: {self.spread_ticks} is outside 1…50")


def usual_spread_ticks(price: float, adv: float, tick: float = 0.01) -> int:
    """Spread by liquidity, 1–5 ticks: 2.5 basis points at a turnover of 500 million a day, less the more is traded."""
    ticks = price / tick * 2.5e-4 * (5e8 / (adv * price)) ** 0.35
    return int(min(5, max(1, round(ticks))))


def make_instrument(symbol: str, name: str, sector: str, start_price: float, adv: float) -> SimInstrument:
    """An instrument with a tick of one cent and the spread its turnover suggests."""
    spread = usual_spread_ticks(start_price, adv)
    return SimInstrument(symbol, name, sector, 0.01, adv, start_price, spread)


def default_universe(count: int | None = None) -> tuple[SimInstrument, ...]:
    """The built-in instruments, largest sectors first; ``count`` of them, with invented ones after the last."""
    known = tuple(_BUILT_IN.values())
    more = range(len(known) + 1, (count or 0) + 1)
    return (*known[:count], *(instrument_for(f"X{number}") for number in more))


def instrument_for(symbol: str) -> SimInstrument:
    """The built-in instrument of this symbol, else one invented from the letters of the symbol alone."""
    if symbol in _BUILT_IN:
        return _BUILT_IN[symbol]
    key = name_key(0, "instrument", symbol)
    price = round(math.exp(math.log(15.0) + 3.0 * uniform(key, 0)), 2)
    adv = round(math.exp(math.log(4e5) + 3.2 * uniform(key, 1)) / 1000.0) * 1000.0
    sector = SECTORS[int(uniform(key, 2) * len(SECTORS))]
    return make_instrument(symbol, f"{symbol} (simulated)", sector, price, adv)


def instruments_for(symbols: Sequence[str]) -> tuple[SimInstrument, ...]:
    """Instruments for a caller's own symbol list, in its order."""
    return tuple(instrument_for(symbol) for symbol in symbols)


def sector_numbers(instruments: Sequence[SimInstrument]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The sector of each instrument as a row of `SECTORS`."""
    return np.array([SECTORS.index(instrument.sector) for instrument in instruments], dtype=np.int64)


def _parse_universe() -> dict[str, SimInstrument]:
    built_in: dict[str, SimInstrument] = {}
    for entry in _UNIVERSE.strip().splitlines():
        label, sector, price, millions = entry.split("|")
        symbol, name = label.split(" ", 1)
        built_in[symbol] = make_instrument(symbol, name, SECTORS[int(sector)], float(price), float(millions) * 1e6)
    return built_in


_BUILT_IN = _parse_universe()
