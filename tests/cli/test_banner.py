"""The lines of a run without a window: each says something once, and that it is over."""

from decimal import Decimal

import pytest

from cli.banner import Banner, market
from engine.api.rows import SourceRow
from engine.api.starting import StartStep
from engine.model.decision import Denial, Mode
from engine.model.events.decision import ModeChanged, RiskDenied
from engine.model.events.system import Alarm
from engine.model.ids import IntentId, SuggestionId, Symbol
from engine.model.market import Session, SessionState, Side
from engine.model.order import OrderRequest, OrderType


def alarm(severity: str = "red", cleared: bool = False, code: str = "LINK", happened: str = "It broke.") -> Alarm:
    return Alarm(ts_event=1, ts_init=1, code=code, severity=severity, happened=happened, cleared=cleared)


def session(state: SessionState, opens: int) -> Session:
    return Session(state=state, date="2026-11-23", open_ns=0, close_ns=0, next_open_ns=opens)


def test_a_fault_and_its_end_are_told_and_an_end_without_a_fault_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    banner = Banner()
    banner.on_alarm(alarm(cleared=True, happened="Well."))
    banner.on_alarm(alarm("yellow"))
    banner.on_alarm(alarm())
    banner.on_alarm(alarm("amber", cleared=True, happened="Well again."))
    assert capsys.readouterr().err == "red: It broke.\nover: Well again.\n"


def test_a_mode_that_ended_by_itself_is_told_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    banner = Banner()
    for by in ("cli", "order desk"):
        banner.on_mode(ModeChanged(ts_event=1, ts_init=1, before=Mode.AUTO, after=Mode.MANUAL, by=by, reason="lost"))
    banner.ending = True
    banner.on_mode(ModeChanged(ts_event=1, ts_init=1, before=Mode.AUTO, after=Mode.MANUAL, by="desk", reason="stopped"))
    assert capsys.readouterr().err == "AUTO has ended, the mode is MANUAL: lost\n"


def test_a_symbol_without_prices_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    banner = Banner()
    for text in ("", "no prices of ZZZZ: unknown", "no prices of ZZZZ: unknown", ""):
        banner.sources([SourceRow(key="ibkr", kind="quotes", state="degraded", text=text)])
    assert capsys.readouterr().err == "ibkr: no prices of ZZZZ: unknown\nibkr: works again\n"


def test_a_closed_market_says_until_when_and_one_open_symbol_is_enough() -> None:
    monday = 1_795_444_200_000_000_000
    shut = session(SessionState.CLOSED, monday)
    assert market([shut, None]) == "market closed until Mon 2026-11-23 14:30 UTC"
    assert market([shut, session(SessionState.OPEN, monday)]) == ""
    assert market([]) == "market closed"


def test_why_something_was_denied_is_told_once_and_what_is_not_known_goes_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    banner = Banner()
    denials = (
        Denial(code="G1", text="The order is worth 744,945.", limit="50,000", value="744,945"),
        Denial(code="G2", text="The average volume is not known."),
    )
    request = OrderRequest(
        intent_id=IntentId("s-S-0001"),
        symbol=Symbol("ACME"),
        side=Side.BUY,
        quantity=Decimal(5),
        order_type=OrderType.MARKET,
    )
    for name in ("S-0001", "S-0002"):
        banner.on_denied(
            RiskDenied(
                ts_event=1,
                ts_init=1,
                symbol=request.symbol,
                side=request.side,
                intent_id=request.intent_id,
                denials=denials,
                request=request,
                suggestion_id=SuggestionId(name),
            )
        )
    assert capsys.readouterr().err == "S-0001: denied: G2 The average volume is not known. (and G1)\n"


def test_of_a_start_only_the_compiling_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    banner = Banner()
    for step in (StartStep.HISTORY, StartStep.COMPILING, StartStep.BOOKS):
        banner.on_start(step)
    assert capsys.readouterr().err.startswith("compiling the numeric kernels for this machine: on the first start only")
