"""The scanner finds by rules, says what it cannot read, follows the bars, and hands symbols on."""

from collections.abc import Callable
from pathlib import Path

from engine.api.commands import Receipt, Scan
from market_agent_gui.presenters.reading import scan_rows
from market_agent_gui.presenters.scan import FILE
from tests.support_gui.harness import Desk, until


async def scanner(desk: Desk):
    await desk.open()
    desk.shell.commander.run("scan")
    presenter = desk.shell.presenters["scanner"]
    await until(lambda: presenter.visible, "the scanner in sight")
    return presenter


def test_a_scan_shows_what_was_found_with_its_columns_and_hands_it_on(
    desk: Desk, run: Callable, tmp_path: Path
) -> None:
    async def story() -> None:
        presenter = await scanner(desk)
        pane = presenter._pane
        assert pane.table._empty[0] == "No scan yet"
        pane.rules.setText("close > 0; volume > 0")
        pane.columns.setText("rsi(14); close")
        pane.asked.emit()
        await until(lambda: pane.table.rows.total == len(desk.engine._symbols), "every symbol")
        assert desk.sent(Scan)[-1].rules == ("close > 0", "volume > 0")
        row = pane.table.rows.get("AAPL")
        assert row.values[1] == row.last
        assert [column.title for column in pane.table.rows.columns[3:5]] == ["rsi(14)", "close"]
        pane.table.selectRow(pane.table.position_of("MSFT"))
        assert presenter.symbol == "MSFT"
        pane.add_wanted.emit(("MSFT",))
        lists = desk.shell.presenters["watchlist"]._table.lists
        assert any("MSFT" in symbols for symbols in lists.values())
        assert '"rsi(14); close"' in (tmp_path / FILE).read_text()
        pane.rules.setText("close < 0")
        pane.asked.emit()
        await until(lambda: pane.table.rows.total == 0, "nothing")
        assert pane.table._empty[0] == "Nothing found"
        pane.rules.setText("")
        pane.asked.emit()
        assert pane.table._empty[0] == "No scan yet"

    run(story())


def test_a_rule_that_cannot_be_read_is_said_and_the_rows_stay(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await scanner(desk)
        pane = presenter._pane
        pane.rules.setText("close > 0")
        pane.asked.emit()
        await until(lambda: pane.table.rows.total > 0, "rows")
        pane.rules.setText("close > banana(3)")
        pane.asked.emit()
        await until(lambda: "banana" in pane.told.text(), "the reason")
        assert pane.table.rows.total > 0

    run(story())


def test_a_live_scan_is_made_again_when_a_bar_is_over_and_not_before(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await scanner(desk)
        pane = presenter._pane
        pane.rules.setText("close > 0")
        pane.interval.setCurrentIndex(0)
        minute = 60 * 10**9
        start = 30_000_000 * minute + 5 * 10**9
        desk.engine.state(now_ns=start)
        pane.live.setChecked(True)
        await until(lambda: len(desk.sent(Scan)) == 1, "the first")
        await until(lambda: not presenter._busy, "its end")
        for later, scans in ((20, 1), (50, 1), (55, 1), (56, 2), (100, 2), (116, 3)):
            desk.engine.state(now_ns=start + later * 10**9)
            wanted = start + later * 10**9
            await until(lambda wanted=wanted: desk.shell.bridge.mirror.state().now_ns == wanted, "the time")
            await until(lambda: not presenter._busy, "its end")
            assert len(desk.sent(Scan)) == scans, later

    run(story())


def test_an_answer_without_rows_is_an_empty_list() -> None:
    assert scan_rows(Receipt(ok=True)) == []


def test_the_change_of_a_bar_is_not_called_as_the_change_of_the_day() -> None:
    from widgets.quote_columns import COLUMNS
    from widgets.scan_table import scan_columns

    day = next(column.title for column in COLUMNS if column.id == "percent")
    assert next(column.title for column in scan_columns(()) if column.id == "change") != day
