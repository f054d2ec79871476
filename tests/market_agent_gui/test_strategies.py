"""The pane of strategies: drafts are the window's until they are saved, and nothing broken is."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from engine.api.commands import CancelAll, CheckStrategy, Flatten, Halt, SaveStrategy, SwitchStrategy
from engine.api.rows import AlarmRow
from market_agent_gui.presenters.strategies import CHECK_MS
from market_agent_gui.strategies_pane import StrategiesPane
from tests.support_gui.fake_strategies import SHIPPED
from tests.support_gui.harness import Desk, dialog_of, until

TEXT = """id: mine
title: Mine
horizon: day
bar_seconds: 300
long: {enter: ["close > 0"]}
"""


async def pane_of(desk: Desk):
    await desk.open()
    desk.shell.window.show_dock("strategies")
    presenter = desk.shell.presenters["strategies"]
    await until(lambda: presenter.visible, "the pane in sight")
    await until(lambda: presenter._pane.table.rows.total == 3, "three strategies")
    await until(lambda: presenter._pane.editor.toPlainText(), "a text")
    return presenter


def test_the_list_says_what_each_is_and_the_first_one_is_shown(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        row = presenter._pane.table.rows.get("day_trading")
        assert (row.state, row.horizon, row.origin, row.signals) == ("on", "day", "shipped", 3)
        assert presenter._pane.editor.toPlainText() == (SHIPPED / "day_trading.yaml").read_text()
        assert presenter._pane.place.text().endswith("day_trading.yaml")
        assert not presenter._pane.save.isEnabled()
        assert not presenter._pane.reset.isEnabled()

    run(story())


def test_a_fault_is_marked_at_its_line_after_a_pause_and_nothing_broken_is_saved(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        pane = presenter._pane
        await until(lambda: pane.checked.text() == "It can be used.", "the check")
        checks = len(desk.sent(CheckStrategy))
        text = pane.editor.toPlainText()
        for n in range(5):
            pane.editor.setPlainText(text.replace("rsi(14) < 72", f"rsi(0) < 7{n}"))
        await until(lambda: pane.editor.faults, "the fault")
        assert len(desk.sent(CheckStrategy)) == checks + 1
        (line,) = pane.editor.faults
        assert "rsi(0)" in text.replace("rsi(14) < 72", "rsi(0)").splitlines()[line - 1]
        assert "period" in pane.checked.text()
        pane.save.click()
        await until(lambda: desk.sent(SaveStrategy), "the save")
        await until(lambda: pane.checked.text().startswith(f"Line {line}"), "the refusal")
        assert not (desk.profile / "strategies").exists()
        assert pane.save.isEnabled()

    run(story())


def test_a_saved_text_is_the_persons_own_and_reset_brings_the_first_one_back(
    desk: Desk, run: Callable, tmp_path: Path
) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        pane = presenter._pane
        ours = pane.editor.toPlainText()
        pane.editor.setPlainText(ours.replace("stop_atr: 1.6", "stop_atr: 2.0"))
        assert pane.table.rows.get("day_trading").edited
        pane.save.click()
        await until(lambda: pane.table.rows.get("day_trading").origin == "own", "the own one")
        assert "stop_atr: 2.0" in (tmp_path / "strategies" / "day_trading.yaml").read_text()
        await until(lambda: pane.reset.isEnabled() and not pane.save.isEnabled(), "the buttons")
        pane.reset.click()
        dialog_of().yes.click()
        await until(lambda: pane.table.rows.get("day_trading").origin == "shipped", "the first one")
        await until(lambda: pane.editor.toPlainText() == ours, "its text")

    run(story())


def test_another_id_makes_another_strategy_and_the_draft_survives_looking_elsewhere(
    desk: Desk, run: Callable, tmp_path: Path
) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        pane = presenter._pane
        pane.new.click()
        await until(lambda: presenter._shown == "mine_1", "the draft")
        assert pane.editor.toPlainText().count("id: mine_1") == 1
        pane.editor.setPlainText(TEXT)
        pane.choose("long_term")
        await until(lambda: "twelve-month" in pane.editor.toPlainText(), "the other text")
        pane.choose("mine_1")
        assert pane.editor.toPlainText() == TEXT
        pane.save.click()
        await until(lambda: pane.table.rows.get("mine") is not None, "the new one")
        await until(lambda: presenter._shown == "mine", "it in sight")
        assert (tmp_path / "strategies" / "mine.yaml").read_text() == TEXT
        assert pane.table.rows.get("mine_1") is None

    run(story())


def test_a_change_from_elsewhere_is_shown_and_an_unsaved_draft_is_kept_and_not_saved_over_it(
    desk: Desk, run: Callable
) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        pane = presenter._pane
        ours = pane.editor.toPlainText()
        draft = ours.replace("stop_atr: 1.6", "stop_atr: 2.0")
        pane.editor.setPlainText(draft)
        other = ours.replace("stop_atr: 1.6", "stop_atr: 3.0")
        assert (await desk.engine.strategies.answer(SaveStrategy(text=other, by="cli"))).ok
        await until(lambda: pane.table.rows.get("day_trading").origin == "own", "the news of it")
        assert pane.editor.toPlainText() == draft
        await until(lambda: presenter._known["day_trading"]["text"] == other, "the other text")
        pane.save.click()
        await until(lambda: "changed elsewhere" in pane.checked.text(), "the refusal")
        pane.drop.click()
        await until(lambda: pane.editor.toPlainText() == other, "the text in use")

    run(story())


def test_a_try_shows_signals_by_symbol_and_by_rule_and_says_that_they_are_no_profit(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        pane = presenter._pane
        pane.new.click()
        pane.editor.setPlainText(TEXT)
        pane.trial.click()
        await until(lambda: pane.signals.rows.total == len(desk.engine._symbols), "signals")
        row = pane.signals.rows.get("AAPL")
        assert (row.long, row.short, len(row.last)) == (row.bars, 0, 5)
        assert "not profit" in pane.tried.text()
        (rule,) = pane.rules.rows.all_rows()
        assert (rule.text, rule.held) == ("close > 0", rule.known)
        desk.shell.program.use_language("ru")
        assert "не прибыль" in pane.tried.text()
        assert "лонг" in pane.signals.rows.get("AAPL").last[0]
        await until(lambda: pane.checked.text() == "Её можно использовать.", "the check in the other language")
        desk.shell.program.use_language("en")
        pane.tabs.setCurrentIndex(1)
        assert pane.rules.isVisible()
        assert not pane.signals.isVisible()

    run(story())


def test_a_strategy_is_switched_off_and_on_again(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        pane = presenter._pane
        await until(lambda: pane.switch.isEnabled(), "the switch")
        pane.switch.click()
        await until(lambda: pane.table.rows.get("day_trading").state == "off", "off")
        assert desk.sent(SwitchStrategy)[-1].on is False
        await until(lambda: pane.switch.text() == "Switch on", "the other word")
        pane.switch.click()
        await until(lambda: pane.table.rows.get("day_trading").state == "on", "on")

    run(story())


def test_habits_of_other_editors_send_nothing_and_stop_still_stops(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        pane = presenter._pane
        desk.shell.links.choose("ticket", "AAPL")
        pane.editor.setFocus()
        for key in ("Ctrl+Shift+F", "Ctrl+Shift+Backspace", "Ctrl+Z", "Ctrl+0"):
            desk.key(key)
        await asyncio.sleep(0.1)
        assert not desk.sent(Flatten)
        assert not desk.sent(CancelAll)
        desk.key("Ctrl+.")
        await until(lambda: desk.sent(Halt), "the stop")

    run(story())


def test_ctrl_s_saves_wherever_the_focus_is_in_the_pane_and_never_stages_a_sale(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        pane = presenter._pane
        desk.shell.links.choose("ticket", "AAPL")
        pane.editor.setPlainText(pane.editor.toPlainText().replace("stop_atr: 1.6", "stop_atr: 2.0"))
        for saves, widget in enumerate((pane.table, pane.trial, pane.editor), 1):
            pane.save.setEnabled(True)
            desk.key("Ctrl+S", widget)
            await until(lambda saves=saves: len(desk.sent(SaveStrategy)) == saves, f"save {saves}")
        assert desk.shell.entry.staged is None

    run(story())


def test_the_banners_line_of_a_broken_strategy_opens_the_pane_at_its_text(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        folder = desk.profile / "strategies"
        folder.mkdir()
        (folder / "long_term.yaml").write_text("id: long_term\ntitle: [\n")
        shelf = desk.engine.strategies._shelf
        shelf.entries = shelf.read()
        await desk.open()
        desk.engine.put("alarms", AlarmRow(key="STRATEGY", severity="amber", happened="It cannot be read."))
        await until(lambda: desk.shell.head.banner.current is not None, "the line")
        desk.shell.head.banner.show_wanted.emit("STRATEGY")
        presenter = desk.shell.presenters["strategies"]
        await until(lambda: presenter.visible and presenter._shown == "long_term", "the broken one")
        await until(lambda: presenter._pane.editor.faults, "its fault")
        assert not presenter._pane.switch.isEnabled()
        assert presenter._pane.reset.isEnabled()

    run(story())


def test_in_another_language_a_draft_says_that_it_is_not_saved_and_the_chart_its_name(
    desk: Desk, run: Callable
) -> None:
    async def story() -> None:
        pane = (await pane_of(desk))._pane
        pane.new.click()
        await until(lambda: pane.place.text() == "not saved yet", "the draft")
        desk.shell.links.choose("chart", "AAPL")
        desk.shell.program.use_language("ru")
        assert pane.place.text() == "ещё не сохранена"
        assert desk.shell.presenters["chart"]._pane.chart.accessibleName() == "График AAPL 5 мин"

    try:
        run(story())
    finally:
        desk.shell.language.use("en")


def test_the_place_of_a_text_is_told_in_full_also_after_a_change_of_language(qtbot) -> None:
    pane = StrategiesPane()
    qtbot.addWidget(pane)
    pane.show_text("id: mine", "/profile/strategies/mine.yaml")
    pane._say()
    assert (pane.place.text(), pane.place.toolTip()) == ("mine.yaml", "/profile/strategies/mine.yaml")


def test_after_a_change_of_language_the_text_is_still_checked_only_after_a_pause(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        presenter = await pane_of(desk)
        presenter.retranslate()
        assert presenter._checking.interval() == CHECK_MS

    run(story())
