"""What a person does with the chart: indicators, style, scale, intervals, comparison, drawings; and what is kept."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from engine.api.commands import GetBars, GetIndicator, Receipt
from engine.api.frames import BarUpdate
from engine.features.indicators.registry import INDICATORS
from market_agent_gui.chart_columns import ChartColumns
from market_agent_gui.chart_memory import ChartMemory, ChartState, Study
from market_agent_gui.drawing_store import FILE, DrawingStore
from market_agent_gui.indicator_dialog import IndicatorDialog
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.presenters.watchlist import BARS_OF_A_DAY
from market_agent_gui.study_lines import Answered, line_names, newest, on_bars, overlays, panes, read_answer, study_name
from market_agent_gui.translate import Language
from market_agent_gui.workspace import WorkspaceStore, make_workspace
from tests.support_gui.fake_engine import bars_data
from tests.support_gui.fake_queries import FakeBroker, fake_queries
from tests.support_gui.harness import Desk, until
from widgets.candle_chart.layers import BarStyle, Drawing, DrawingKind, PriceAxis

TABLE = fake_queries(bars_data, lambda: ("AAPL",), FakeBroker()).indicators().data["indicators"]


def answered(
    study: Study, outputs: dict[str, list[float]], *, kind: str = "overlay", shifts=None, **params
) -> Answered:
    columns = {name: np.array(values) for name, values in outputs.items()}
    size = len(next(iter(columns.values())))
    return Answered(study=study, kind=kind, params=params or study.params, stamps=np.arange(size) * 10, outputs=columns,
                    shifts=shifts or {})  # fmt: skip


# --- lines


def test_lines_have_short_names_each_of_them_once() -> None:
    ema, wide = Study(id="ema", params={"period": 20, "source": "close"}), Study(id="bbands", params={"period": 20})
    answers = [
        answered(ema, {"ema": [1.0]}),
        answered(ema, {"ema": [1.0]}),
        answered(wide, {"upper": [2.0], "lower": [0.0]}),
    ]
    assert [list(names.values()) for names in line_names(answers)] == [
        ["EMA 20"],
        ["EMA 20′"],
        ["BB 20 upper", "BB lower"],
    ]
    assert study_name(Study(id="macd"), {"fast": 12, "slow": 26, "signal": 9, "source": "hl2"}) == "MACD 12 26 9 hl2"


def test_values_stand_on_their_own_bars_and_gaps_stay_gaps() -> None:
    answer = answered(Study(id="sma"), {"sma": [1.0, 2.0, 3.0]})
    values = on_bars(np.array([10, 15, 20, 99]), answer, "sma")
    assert np.array_equal(values, [2.0, np.nan, 3.0, np.nan], equal_nan=True)


@pytest.mark.parametrize(("shift", "expected"), [(1, [np.nan, 1.0, 2.0]), (-1, [2.0, 3.0, np.nan]), (5, [np.nan] * 3)])
def test_a_shifted_line_is_drawn_off_its_bar(shift: int, expected: list[float]) -> None:
    answer = answered(Study(id="ichimoku"), {"lead_a": [1.0, 2.0, 3.0]}, shifts={"lead_a": shift})
    assert np.array_equal(on_bars(np.array([0, 10, 20]), answer, "lead_a"), expected, equal_nan=True)


def test_a_displaced_output_goes_on_for_as_many_bars_to_come_as_it_is_displaced() -> None:
    stamps = np.array([0, 10, 20])
    answer = answered(Study(id="ichimoku"), {"lead_a": [1.0, 2.0, 3.0]}, shifts={"lead_a": 2})
    (line,) = overlays(stamps, [answer], {})
    assert line.ahead.tolist() == [2.0, 3.0]
    far = answered(Study(id="ichimoku"), {"lead_a": [1.0, 2.0, 3.0]}, shifts={"lead_a": 5})
    (line,) = overlays(stamps, [far], {})
    assert np.array_equal(line.ahead, [np.nan, np.nan, 1.0, 2.0, 3.0], equal_nan=True)
    (line,) = overlays(stamps, [answered(Study(id="sma"), {"sma": [1.0, 2.0, 3.0]})], {})
    assert not line.ahead.size


def test_the_newest_values_are_those_of_the_bar_that_forms_and_of_no_other() -> None:
    ema = answered(Study(id="ema", params={"period": 9}), {"ema": [1.0, 2.0]})
    cloud = answered(Study(id="ichimoku"), {"lead_a": [5.0, 6.0]}, shifts={"lead_a": 26})
    assert newest(10, [ema, cloud]) == {"EMA 9": 2.0}
    assert newest(20, [ema]) == {}


def test_an_oscillator_gets_a_pane_with_its_levels_and_a_histogram() -> None:
    styles = {("macd", "histogram"): "histogram"}
    macd = answered(Study(id="macd"), {"macd": [1.0], "signal": [0.5], "histogram": [0.5]}, kind="pane", fast=12)
    (pane,) = panes(np.array([0]), [macd], styles)
    assert ([line.name for line in pane.lines], pane.histogram is not None, pane.levels) == (
        ["MACD 12", "MACD signal"], True, (0.0,),
    )  # fmt: skip
    assert overlays(np.array([0]), [macd], styles) == ()


@pytest.mark.parametrize(
    ("values", "decimals"), [([55.0, 70.0], 2), ([0.031, -0.02], 4), ([np.nan], 2), ([1.2e6], 0), ([0.0], 2)]
)
def test_a_pane_shows_as_many_decimals_as_tell_its_values_apart(values: list[float], decimals: int) -> None:
    answer = answered(Study(id="mom"), {"mom": values}, kind="pane")
    (pane,) = panes(np.arange(len(values)), [answer], {})
    assert pane.decimals == decimals


def test_the_numbers_of_an_indicator_are_said_once_and_a_second_one_says_its_own() -> None:
    first = answered(Study(id="bbands"), {"upper": [1.0], "middle": [1.0]}, period=20)
    second = answered(Study(id="bbands"), {"upper": [1.0], "middle": [1.0]}, period=50)
    names = [line.name for line in overlays(np.array([0]), [first, second], {})]
    assert names == ["BB 20 upper", "BB middle", "BB 50 upper", "BB 50 middle"]


def test_the_cloud_has_a_ground_only_while_both_of_its_lines_are_shown() -> None:
    both = answered(Study(id="ichimoku"), {"lead_a": [1.0], "lead_b": [2.0]})
    lines = overlays(np.array([0]), [both], {})
    assert (lines[0].ground, lines[1].ground) == (lines[1].name, "")
    (alone,) = overlays(np.array([0]), [answered(Study(id="ichimoku"), {"lead_a": [1.0]})], {})
    assert alone.ground == ""


def test_a_vwap_begins_anew_with_its_session_and_is_not_joined_to_yesterday() -> None:
    hour = 3_600 * 10**9
    stamps = np.array([0, 1, 18, 19]) * hour
    vwap = Answered(study=Study(id="vwap", outputs=("middle",)), kind="overlay", params={}, stamps=stamps,
                    outputs={"middle": np.array([1.0, 2.0, 3.0, 4.0])}, shifts={})  # fmt: skip
    (line,) = overlays(stamps, [vwap], {})
    assert np.array_equal(line.values, [1.0, np.nan, 3.0, 4.0], equal_nan=True)


def test_a_refusal_is_no_answer() -> None:
    assert read_answer(Study(id="ema"), Receipt(ok=False, text="no"), frozenset({"ema"})) is None


# --- columns


def test_older_history_keeps_the_bars_that_came_meanwhile() -> None:
    columns = ChartColumns()
    columns.take(bars_data("AAPL", 300, 5), older=False)
    last = int(columns.stamps[-1])
    bar = BarUpdate(symbol="AAPL", seconds=300, ts_open=last + 1, open=1, high=2, low=1, close=2, volume=9)
    assert columns.put(bar)
    assert not columns.put(bar)
    older = {name: bytes(8) for name in ("ts_open", "open", "high", "low", "close", "volume")}
    columns.take(older, older=True)
    assert (int(columns.stamps[0]), int(columns.stamps[-1]), len(columns.stamps)) == (0, last + 1, 7)
    with pytest.raises(ValueError, match="before the last"):
        columns.put(BarUpdate(symbol="AAPL", seconds=300, ts_open=last, open=1, high=2, low=1, close=2, volume=9))


# --- memory


@pytest.mark.usefixtures("qapp")
def test_indicators_are_kept_by_symbol_and_interval_and_can_be_made_the_usual_ones() -> None:
    memory = ChartMemory()
    assert [study.id for study in memory.studies("AAPL", 300)] == ["ema", "ema", "vwap"]
    assert [study.id for study in memory.studies("AAPL", 86_400)] == ["ema", "ema"]
    memory.set_studies("AAPL", 300, (Study(id="rsi"),))
    assert [study.id for study in memory.studies("MSFT", 300)] == ["ema", "ema", "vwap"]
    memory.use_everywhere("AAPL", 300)
    assert memory.studies("MSFT", 300) == memory.studies("AAPL", 300) == (Study(id="rsi"),)
    assert len(memory.studies("MSFT", 60)) == 3


def test_a_workspace_keeps_what_the_chart_shows(tmp_path: Path) -> None:
    state = ChartState(
        seconds=900, style="line", axis="log", compare=("SPY",), studies={"AAPL 900": (Study(id="rsi"),)}
    )
    store = WorkspaceStore(tmp_path)
    store.save(make_workspace("mine", b"", b"", {}, state))
    assert store.load("mine").chart == state


# --- drawings

LINE = Drawing(id="a", kind=DrawingKind.TREND, points=((1, 2.0), (3, 4.5)))


def test_drawings_come_back_with_their_symbol(tmp_path: Path) -> None:
    DrawingStore(tmp_path).put("AAPL", (LINE,))
    again = DrawingStore(tmp_path)
    assert again.get("AAPL") == (LINE,)
    assert again.get("MSFT") == ()
    again.put("AAPL", ())
    assert DrawingStore(tmp_path).get("AAPL") == ()


@pytest.mark.parametrize(
    "text", ["{", '{"AAPL": [{"id": "a", "kind": "trend line", "points": [[1, 2.0]]}]}', '{"AAPL": 3}']
)
def test_a_damaged_file_of_drawings_is_told_and_not_written_over(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    store = DrawingStore(tmp_path)
    assert FILE in store.problem
    with pytest.raises(OSError, match=FILE):
        store.put("AAPL", (LINE,))
    assert (tmp_path / FILE).read_text() == text


# --- the picker


@pytest.fixture
def dialog(qtbot: QtBot) -> IndicatorDialog:
    made = IndicatorDialog(TABLE, (Study(id="ema", params={"period": 20, "source": "close"}),), "AAPL")
    qtbot.addWidget(made)
    return made


def test_the_picker_lists_every_indicator_and_finds_by_any_word(dialog: IndicatorDialog) -> None:
    assert dialog.list.count() == len(INDICATORS)
    dialog.search.setText("moving weight")
    shown = [dialog.list.item(at).text() for at in range(dialog.list.count()) if not dialog.list.item(at).isHidden()]
    assert len(shown) == 2
    dialog.search.setText("nothing like it")
    assert dialog.id == ""
    dialog.add()
    assert len(dialog._studies) == 1


def test_in_russian_parameters_choices_and_lines_are_named_and_the_study_stays_the_same(qapp: QApplication) -> None:
    language = Language(qapp)
    try:
        language.use("ru")
        picker = IndicatorDialog(TABLE, (), "AAPL")
        picker.search.setText("bollinger")
        source = picker._fields["source"]
        assert isinstance(source, QComboBox)
        assert (source.accessibleName(), source.currentText()) == ("источник", "закрытие")
        assert {box.text() for box in picker._shown.values()} >= {"верхняя", "нижняя"}
        assert picker.study().params["source"] == "close"
        source.setCurrentIndex(source.findText("максимум"))
        assert picker.study().params["source"] == "high"
        picker._fields["period"].setText("x")
        picker.add()
        assert picker.problem.text().startswith("период")
        picker.deleteLater()
    finally:
        language.use("en")


def test_the_picker_adds_with_parameters_and_removes(dialog: IndicatorDialog, qtbot: QtBot) -> None:
    dialog.search.setText("rsi")
    assert dialog.id == "rsi"
    dialog._fields["period"].setText("9")
    with qtbot.waitSignal(dialog.chosen) as said:
        dialog.add()
    assert said.args[0][1] == Study(id="rsi", params={"period": 9, "source": "close"})
    dialog.add()
    assert "already" in dialog.problem.text()
    dialog.on_chart.setCurrentRow(0)
    with qtbot.waitSignal(dialog.chosen) as said:
        dialog.remove()
    assert [study.id for study in said.args[0]] == ["rsi"]


@pytest.mark.parametrize("text", ["0", "5001", "2.5", "x", "nan", "inf", ""])
def test_a_parameter_outside_its_bounds_is_refused_by_name(dialog: IndicatorDialog, text: str) -> None:
    dialog.search.setText("sma")
    dialog._fields["period"].setText(text)
    dialog.add()
    assert "period must be a whole number from 1 to 5000" in dialog.problem.text()
    assert len(dialog._studies) == 1


def test_only_some_lines_of_a_band_can_be_chosen(dialog: IndicatorDialog) -> None:
    dialog.search.setText("vwap")
    dialog._shown["upper"].setChecked(False)
    assert dialog.study().outputs == ("middle", "lower")
    for box in dialog._shown.values():
        box.setChecked(False)
    assert dialog.study() is None


# --- keys


def test_letters_are_the_charts_only_while_it_has_the_focus() -> None:
    keys = KeyMap()
    assert keys.find("I", staged=False, in_text=False) is None
    assert keys.find("I", staged=False, in_text=False, chart=True) == "indicators"
    assert keys.find("I", staged=False, in_text=True, chart=True) is None
    assert keys.find("Alt+3", staged=False, in_text=False) == "interval_15m"


# --- the whole window


def asked_for(desk: Desk) -> list[GetBars]:
    """What the chart asked for; the watchlist asks for the days of its symbols."""
    return [command for command in desk.sent(GetBars) if command.count != BARS_OF_A_DAY]


def test_the_usual_indicators_stand_on_the_chart_and_follow_the_choice(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        presenter = desk.shell.presenters["chart"]
        chart, memory = presenter._pane.chart, desk.shell.charts.main
        await until(lambda: len(chart._layers.overlays) == 3, "three lines")
        assert [line.name for line in chart._layers.overlays] == ["EMA 20", "EMA 50", "VWAP"]
        symbol = presenter.symbol
        memory.set_studies(symbol, 300, (Study(id="rsi", params={"period": 9}),))
        await until(lambda: [pane.title for pane in chart._layers.panes] == ["RSI 9"], "the pane")
        assert chart._layers.overlays == ()
        desk.key("Alt+4", chart)
        await until(lambda: len(chart._layers.overlays) == 3, "the lines of the other interval")
        assert asked_for(desk)[-1].seconds == 3_600
        last = int(chart._data.ts[-1])
        bar = BarUpdate(symbol=symbol, seconds=3_600, ts_open=last, open=1.0, high=500.0, low=1.0, close=2.0,
                        volume=5.0)  # fmt: skip
        asked = len(desk.sent(GetIndicator))
        desk.engine.bars.bars[symbol, 3_600] = bar
        await until(lambda: len(desk.sent(GetIndicator)) > asked, "the newest values")
        assert desk.sent(GetIndicator)[-1].count == 2

    run(story())


def test_keys_of_the_chart_change_style_scale_and_draw(desk: Desk, run: Callable, tmp_path: Path) -> None:
    async def story() -> None:
        await desk.open()
        presenter = desk.shell.presenters["chart"]
        chart = presenter._pane.chart
        await until(lambda: chart.bar_count > 0, "bars")
        desk.key("S", chart)
        desk.key("P", chart)
        assert chart._options.bar_style is BarStyle.BARS
        assert chart._options.price_axis is PriceAxis.LOG
        desk.key("H", chart)
        assert chart._interaction._tool == (DrawingKind.HORIZONTAL, "")
        chart.set_drawings((LINE,))
        chart.drawings_changed.emit()
        symbol = presenter.symbol
        assert DrawingStore(tmp_path).get(symbol) == (LINE,)
        presenter.choose("MSFT")
        assert chart.drawings == ()
        presenter.choose(symbol)
        assert chart.drawings == (LINE,)
        desk.shell.commander.run("draw_nothing")
        assert DrawingStore(tmp_path).get(symbol) == ()

    run(story())


def test_another_symbol_is_compared_over_the_same_bars(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        presenter = desk.shell.presenters["chart"]
        chart = presenter._pane.chart
        await until(lambda: chart.bar_count > 0, "bars")
        desk.shell.charts.main.set(compare=("SPY",))
        await until(lambda: [series.name for series in chart._layers.compare] == ["SPY"], "the other line")
        desk.shell.charts.main.set(compare=())
        assert chart._layers.compare == ()

    run(story())


# --- a chart before there is history


@pytest.mark.parametrize("seconds", [60, 300, 900, 3_600, 86_400, 604_800])
def test_a_chart_without_history_shows_what_forms_and_history_as_soon_as_there_is_any(
    desk: Desk, run: Callable, seconds: int
) -> None:
    known = False
    answer = desk.engine._answer

    def empty_at_first(command):
        if isinstance(command, GetBars) and not known:
            return Receipt(ok=False, code="NO_BARS", text="none")
        return answer(command)

    desk.engine._answer = empty_at_first

    async def story() -> None:
        nonlocal known
        await desk.open()
        shell = desk.shell
        shell.charts.main.set(seconds=seconds)
        shell.links.choose("chart", "AAPL")
        presenter = shell.presenters["chart"]
        presenter._again.setInterval(50)
        chart = presenter._pane.chart
        await until(lambda: presenter._waits, "the refusal")
        assert "AAPL" in chart._options.empty_text
        shell.program.use_language("ru")
        assert "у AAPL пока нет истории" in chart._options.empty_text
        shell.program.use_language("en")
        ts = 1_795_185_000_000_000_000
        desk.engine.bars.bars[("AAPL", seconds)] = BarUpdate(
            symbol="AAPL", seconds=seconds, ts_open=ts, open=190.0, high=191.0, low=189.0, close=190.5, volume=1.0
        )
        desk.engine.quote("AAPL", 190.4, 190.6)
        await until(lambda: chart.bar_count == 1, "the bar that forms")
        known = True
        await until(lambda: chart.bar_count > 1, "the history")
        asked = len(asked_for(desk))
        await asyncio.sleep(0.2)
        assert len(asked_for(desk)) <= asked + 1  # a comparison or older bars, but no more asking again

    run(story())


@pytest.mark.parametrize(("book", "opens_on"), [("replay", 86_400), ("paper", 300)])
def test_a_replay_that_has_daily_bars_alone_opens_on_them_and_keeps_the_chosen_interval(
    tmp_path, qapp, loop, book: str, opens_on: int
) -> None:
    desk = Desk(tmp_path, qapp, book=book)
    answer = desk.engine._answer

    def only_days(command):
        if isinstance(command, GetBars) and command.seconds < 86_400:
            return Receipt(ok=False, code="NO_BARS", text="none")
        return answer(command)

    desk.engine._answer = only_days

    async def story() -> None:
        try:
            await desk.open()
            shell = desk.shell
            presenter = shell.presenters["chart"]
            presenter._again.setInterval(20)
            shell.links.choose("chart", "AAPL")
            pane = presenter._pane
            if book == "paper":
                await until(lambda: len([c for c in asked_for(desk) if c.seconds == 300]) > 3, "asked again")
            else:
                await until(lambda: pane.chart.bar_count > 1, "the daily bars")
            assert pane.head.current == str(opens_on)
            assert presenter.seconds == opens_on
            assert shell.charts.main.now.seconds == 300, "what the person chose is kept"
            shell.commander.run("interval_1h", "key")
            assert presenter.seconds == 3_600
        finally:
            await desk.close()
            await asyncio.sleep(0.05)

    loop.run_until_complete(asyncio.wait_for(story(), 20))


def test_name_and_tick_of_a_symbol_that_was_chosen_before_it_was_known_come_later(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.links.choose("chart", "EURUSD")
        presenter = desk.shell.presenters["chart"]
        chart = presenter._pane.chart
        await until(lambda: chart.bar_count, "the bars")
        bars = chart.bar_count
        desk.engine.quote("EURUSD", 1.0731, 1.0732)
        row = desk.engine.tables["quotes"].get("EURUSD")
        desk.engine.put("quotes", msgspec.structs.replace(row, tick=0.00005, name="Euro in dollars"))
        await until(lambda: presenter._pane._name == "Euro in dollars", "the name")
        assert chart._instrument.tick == Decimal("0.00005")
        assert chart.bar_count == bars
        # What comes into the watchlist must not move the symbol that keys act on.
        assert desk.shell.symbol() == "EURUSD"
        assert desk.shell.presenters["watchlist"]._table.view.current_key == "EURUSD"

    run(story())
