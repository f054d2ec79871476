"""Message numbers of the TWS protocol (client versions 157..178) and a cursor over incoming fields."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import IntEnum


class Req(IntEnum):
    """Client to gateway."""

    MKT_DATA = 1
    CANCEL_MKT_DATA = 2
    PLACE_ORDER = 3
    CANCEL_ORDER = 4
    OPEN_ORDERS = 5
    ACCOUNT_UPDATES = 6
    EXECUTIONS = 7
    IDS = 8
    CONTRACT_DETAILS = 9
    MKT_DEPTH = 10
    CANCEL_MKT_DEPTH = 11
    NEWS_BULLETINS = 12
    CANCEL_NEWS_BULLETINS = 13
    SERVER_LOG_LEVEL = 14
    AUTO_OPEN_ORDERS = 15
    ALL_OPEN_ORDERS = 16
    MANAGED_ACCTS = 17
    REQUEST_FA = 18
    REPLACE_FA = 19
    HISTORICAL_DATA = 20
    EXERCISE_OPTIONS = 21
    SCANNER_SUBSCRIPTION = 22
    CANCEL_SCANNER = 23
    SCANNER_PARAMETERS = 24
    CANCEL_HISTORICAL_DATA = 25
    CURRENT_TIME = 49
    REAL_TIME_BARS = 50
    CANCEL_REAL_TIME_BARS = 51
    FUNDAMENTAL_DATA = 52
    CANCEL_FUNDAMENTAL_DATA = 53
    CALC_IMPLIED_VOLATILITY = 54
    CALC_OPTION_PRICE = 55
    CANCEL_CALC_IMPLIED_VOLATILITY = 56
    CANCEL_CALC_OPTION_PRICE = 57
    GLOBAL_CANCEL = 58
    MARKET_DATA_TYPE = 59
    POSITIONS = 61
    ACCOUNT_SUMMARY = 62
    CANCEL_ACCOUNT_SUMMARY = 63
    CANCEL_POSITIONS = 64
    START_API = 71
    POSITIONS_MULTI = 74
    CANCEL_POSITIONS_MULTI = 75
    ACCOUNT_UPDATES_MULTI = 76
    CANCEL_ACCOUNT_UPDATES_MULTI = 77
    SEC_DEF_OPT_PARAMS = 78
    SOFT_DOLLAR_TIERS = 79
    FAMILY_CODES = 80
    MATCHING_SYMBOLS = 81
    MKT_DEPTH_EXCHANGES = 82
    SMART_COMPONENTS = 83
    NEWS_ARTICLE = 84
    NEWS_PROVIDERS = 85
    HISTORICAL_NEWS = 86
    HEAD_TIMESTAMP = 87
    HISTOGRAM_DATA = 88
    CANCEL_HISTOGRAM_DATA = 89
    CANCEL_HEAD_TIMESTAMP = 90
    MARKET_RULE = 91
    PNL = 92
    CANCEL_PNL = 93
    PNL_SINGLE = 94
    CANCEL_PNL_SINGLE = 95
    HISTORICAL_TICKS = 96
    TICK_BY_TICK = 97
    CANCEL_TICK_BY_TICK = 98
    COMPLETED_ORDERS = 99
    WSH_META = 100
    CANCEL_WSH_META = 101
    WSH_EVENT = 102
    CANCEL_WSH_EVENT = 103
    USER_INFO = 104


class Msg(IntEnum):
    """Gateway to client."""

    HANDSHAKE = -1
    TICK_PRICE = 1
    TICK_SIZE = 2
    ORDER_STATUS = 3
    ERROR = 4
    OPEN_ORDER = 5
    ACCOUNT_VALUE = 6
    PORTFOLIO_VALUE = 7
    ACCOUNT_TIME = 8
    NEXT_VALID_ID = 9
    CONTRACT_DETAILS = 10
    EXEC_DETAILS = 11
    MKT_DEPTH = 12
    MKT_DEPTH_L2 = 13
    NEWS_BULLETIN = 14
    MANAGED_ACCOUNTS = 15
    RECEIVE_FA = 16
    HISTORICAL_DATA = 17
    SCANNER_PARAMETERS = 19
    SCANNER_DATA = 20
    TICK_OPTION = 21
    TICK_GENERIC = 45
    TICK_STRING = 46
    CURRENT_TIME = 49
    REALTIME_BAR = 50
    CONTRACT_DETAILS_END = 52
    OPEN_ORDER_END = 53
    ACCOUNT_DOWNLOAD_END = 54
    EXEC_DETAILS_END = 55
    TICK_SNAPSHOT_END = 57
    MARKET_DATA_TYPE = 58
    COMMISSION_REPORT = 59
    POSITION = 61
    POSITION_END = 62
    ACCOUNT_SUMMARY = 63
    ACCOUNT_SUMMARY_END = 64
    POSITION_MULTI = 71
    POSITION_MULTI_END = 72
    ACCOUNT_UPDATE_MULTI = 73
    ACCOUNT_UPDATE_MULTI_END = 74
    OPTION_PARAMETER = 75
    OPTION_PARAMETER_END = 76
    SOFT_DOLLAR_TIERS = 77
    FAMILY_CODES = 78
    SYMBOL_SAMPLES = 79
    MKT_DEPTH_EXCHANGES = 80
    TICK_REQ_PARAMS = 81
    SMART_COMPONENTS = 82
    NEWS_ARTICLE = 83
    TICK_NEWS = 84
    NEWS_PROVIDERS = 85
    HISTORICAL_NEWS = 86
    HISTORICAL_NEWS_END = 87
    HEAD_TIMESTAMP = 88
    HISTOGRAM_DATA = 89
    HISTORICAL_DATA_UPDATE = 90
    MARKET_RULE = 93
    PNL = 94
    PNL_SINGLE = 95
    HISTORICAL_TICKS = 96
    HISTORICAL_TICKS_BID_ASK = 97
    HISTORICAL_TICKS_LAST = 98
    TICK_BY_TICK = 99
    ORDER_BOUND = 100
    COMPLETED_ORDER = 101
    COMPLETED_ORDERS_END = 102
    HISTORICAL_SCHEDULE = 106
    USER_INFO = 107


class RequestError(Exception):
    """A request that the gateway answers with an error code; `req_id` -1 when it belongs to none."""

    def __init__(self, req_id: int, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.req_id, self.code, self.message = req_id, code, message


class Cursor:
    """Reads the fields of one incoming frame in order; a bad field becomes error 320, as at the real gateway."""

    def __init__(self, fields: list[str]) -> None:
        self.fields, self.at, self.req_id = fields, 0, -1

    def _fail(self, what: str, value: str) -> RequestError:
        return RequestError(self.req_id, 320, f"Error reading request. Unable to parse data. {what}: {value!r}")

    def text(self) -> str:
        if self.at >= len(self.fields):
            raise self._fail("field missing", str(self.at))
        value = self.fields[self.at]
        self.at += 1
        return value

    def texts(self, count: int) -> list[str]:
        return [self.text() for _ in range(count)]

    def integer(self, default: int = 0) -> int:
        value = self.text()
        if value == "":
            return default
        try:
            return int(value)
        except ValueError:
            raise self._fail("integer expected", value) from None

    def flag(self) -> bool:
        return self.text() in ("1", "true", "True")

    def decimal(self) -> Decimal | None:
        value = self.text()
        if value == "":
            return None
        return self.to_decimal(value)

    def to_decimal(self, value: str) -> Decimal:
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self._fail("number expected", value) from None
        if not number.is_finite():
            raise self._fail("finite number expected", value)
        return number

    def skip(self, count: int = 1) -> None:
        self.at += count

    @property
    def left(self) -> int:
        return len(self.fields) - self.at
