"""What the feature vector holds: 93 names in order, and how many closed bars each needs. Needs no numba."""

from enum import StrEnum
from typing import Final

WINDOW: Final = 252
"""Closed bars the kernel looks back over: one trading year of daily bars."""


class Needs(StrEnum):
    """Which input a feature reads beside open, high, low and close."""

    PRICES = "prices"
    VOLUME = "volume"
    MARKET = "market"


_P, _V, _M = Needs.PRICES, Needs.VOLUME, Needs.MARKET

FEATURES: Final[tuple[tuple[str, int, Needs], ...]] = (
    # K-bar
    ("KMID", 1, _P),
    ("KLEN", 1, _P),
    ("KMID2", 1, _P),
    ("KUP", 1, _P),
    ("KUP2", 1, _P),
    ("KLOW", 1, _P),
    ("KLOW2", 1, _P),
    ("KSFT", 1, _P),
    ("KSFT2", 1, _P),
    # return
    ("ROC1", 2, _P),
    ("ROC5", 6, _P),
    ("ROC10", 11, _P),
    ("ROC20", 21, _P),
    ("ROC60", 61, _P),
    ("ROC120", 121, _P),
    ("ROC250", 251, _P),
    ("MOM12_1", 251, _P),
    # trend
    ("MADIST5", 5, _P),
    ("MADIST20", 20, _P),
    ("MADIST60", 60, _P),
    ("MADIST200", 200, _P),
    ("BETA20", 20, _P),
    ("BETA60", 60, _P),
    ("RSQR20", 20, _P),
    ("RSQR60", 60, _P),
    ("RESI20", 20, _P),
    ("RESI60", 60, _P),
    # dispersion
    ("STD5", 6, _P),
    ("STD10", 11, _P),
    ("STD20", 21, _P),
    ("STD60", 61, _P),
    # range
    ("RSV5", 5, _P),
    ("RSV20", 20, _P),
    ("RSV60", 60, _P),
    ("RSV250", 250, _P),
    ("IMAX20", 20, _P),
    ("IMAX60", 60, _P),
    ("IMIN20", 20, _P),
    ("IMIN60", 60, _P),
    ("QTLU20", 20, _P),
    ("QTLU60", 60, _P),
    ("QTLD20", 20, _P),
    ("QTLD60", 60, _P),
    ("RANK20", 20, _P),
    ("RANK60", 60, _P),
    # price and volume
    ("CORR10", 10, _V),
    ("CORR20", 20, _V),
    ("CORR60", 60, _V),
    ("CORD10", 11, _V),
    ("CORD20", 21, _V),
    ("CORD60", 61, _V),
    # counts
    ("CNTD10", 11, _P),
    ("CNTD20", 21, _P),
    ("CNTD60", 61, _P),
    ("SUMD10", 11, _P),
    ("SUMD20", 21, _P),
    ("SUMD60", 61, _P),
    # volume
    ("VMA5", 5, _V),
    ("VMA20", 20, _V),
    ("VMA60", 60, _V),
    ("VSTD20", 20, _V),
    ("WVMA20", 21, _V),
    ("WVMA60", 61, _V),
    ("VSUMD20", 21, _V),
    # volatility
    ("PARKINSON20", 20, _P),
    ("GARMANKLASS20", 20, _P),
    ("ROGERSSATCHELL20", 20, _P),
    ("ATR14", 120, _P),
    ("VR5_60", 61, _P),
    ("RV1", 2, _P),
    ("RV5", 6, _P),
    ("RV22", 23, _P),
    ("VOLVOL20", 21, _P),
    # shape and liquidity
    ("SKEW60", 61, _P),
    ("KURT60", 61, _P),
    ("AC1_20", 21, _P),
    ("DOWNVAR20", 21, _P),
    ("AMIHUD20", 21, _V),
    ("DOLLARVOL20", 20, _V),
    ("MOMON20", 21, _P),
    ("MOMID20", 20, _P),
    ("MAXRET20", 21, _P),
    # classic
    ("RSI14", 120, _P),
    ("MACDHIST", 120, _P),
    ("BBPOS20", 20, _P),
    ("DX14", 120, _P),
    ("STOCHK14", 14, _P),
    ("GAP", 2, _P),
    # factor
    ("MBETA60", 61, _M),
    ("MCORR60", 61, _M),
    ("IVOL60", 61, _M),
    ("RMOM20", 61, _M),
    ("RMOM5", 61, _M),
)

FEATURE_NAMES: Final[tuple[str, ...]] = tuple(name for name, _, _ in FEATURES)
FEATURE_COUNT: Final = len(FEATURES)
FEATURE_INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(FEATURE_NAMES)}

GROUPS: Final[dict[str, slice]] = {
    "K-bar": slice(0, 9),
    "return": slice(9, 17),
    "trend": slice(17, 27),
    "dispersion": slice(27, 31),
    "range": slice(31, 45),
    "price-volume": slice(45, 51),
    "counts": slice(51, 57),
    "volume": slice(57, 64),
    "volatility": slice(64, 73),
    "shape and liquidity": slice(73, 82),
    "classic": slice(82, 88),
    "factor": slice(88, 93),
}
