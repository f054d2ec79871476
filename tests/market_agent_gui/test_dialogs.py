"""Dialogs that take numbers: Enter takes what was typed, and the engine's no is read before they close."""

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt

from engine.api.commands import ChangeLimits, Receipt
from engine.api.rows import LimitRow
from engine.model.decision import LimitUse
from market_agent_gui.edit_dialog import EditDialog
from market_agent_gui.keys.fresh import ORDERS
from market_agent_gui.limit_dialog import LimitDialog
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.sizes_dialog import SizesDialog, read_sizes
from tests.support_gui.harness import Desk, dialog_of, gone, until
from tests.widgets.factories import suggestion

D = Decimal
KEY = "auto.order_notional_cap"
USE = LimitUse(code="G1", title="Order value, agent, money", used=0.0, limit=5_000_000.0, unit="money", key=KEY)


def test_enter_takes_an_edit_and_the_dialog_says_what_it_risks(qtbot) -> None:
    dialog = EditDialog(suggestion())
    qtbot.addWidget(dialog)
    taken: list[dict[str, Decimal]] = []
    dialog.edited.connect(taken.append)
    dialog.show()
    assert dialog.money.text() == "At the stop it loses 220.00, at the target it makes 390.00."
    quantity = dialog.fields["quantity"]
    quantity.clear()
    qtbot.keyClicks(quantity, "50")
    assert "loses 110.00" in dialog.money.text()
    qtbot.keyClick(quantity, Qt.Key.Key_Return)
    assert taken == [{"quantity": D(50)}]


def test_what_is_no_number_is_named_as_its_field_is(qtbot) -> None:
    dialog = EditDialog(suggestion())
    qtbot.addWidget(dialog)
    dialog.fields["entry"].setText("abc")
    dialog._reckon()
    assert "–" in dialog.money.text()
    dialog.on_accept()
    assert dialog.problem.text().startswith("Entry: ")


def test_a_limit_of_millions_is_read_and_written_in_digits(qtbot) -> None:
    dialog = LimitDialog(LimitRow(key="G1 x", use=USE))
    qtbot.addWidget(dialog)
    assert dialog.value.text() == "5000000"
    assert "e+" not in dialog.text.text()
    sent: list[ChangeLimits] = []
    dialog.changed.connect(sent.append)
    dialog.value.setText("4\u2009000\u2009000")
    dialog.on_accept()
    assert sent[0].changes == {KEY: "4000000"}


def test_a_limit_that_the_engine_refuses_leaves_the_dialog_open_with_its_reason(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.engine.put("limits", LimitRow(key="G1 x", use=USE))
        desk.shell.window.show_dock("limits")
        await until(lambda: "G1 x" in desk.shell.bridge.mirror.rows("limits"), "the limit")
        desk.engine.refuse = {ChangeLimits: Receipt(ok=False, code="PIN", text="The PIN is wrong.")}
        desk.shell.presenters["limits"]._on_change("G1 x")
        dialog = dialog_of(LimitDialog)
        assert dialog.windowTitle().startswith("G1 · Order value, agent, money · PAPER DU…")
        dialog.value.setText("6000000")
        dialog.yes.click()
        await until(dialog.problem.isVisible, "the engine's no")
        assert dialog.problem.text() == "The PIN is wrong."
        desk.engine.refuse = {}
        dialog.yes.click()
        await until(lambda: gone(dialog), "the dialog's end")

    run(story())


def test_sizes_and_risk_of_the_keys_are_chosen_kept_and_confirmed_at_first(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.commander.run("edit_sizes", "palette")
        dialog = dialog_of(SizesDialog)
        for text, wrong in (("1 2 3", "There are nine keys; 3"), ("1 2 3 4 5 6 7 8 -9", "'-9' is not a number")):
            dialog.sizes.setText(text)
            dialog.yes.click()
            assert dialog.problem.text().startswith(wrong)
        dialog.sizes.setText("10 20 30 40 50 60 70 80 90")
        dialog.risk.setText("75.50")
        dialog.yes.click()
        await until(lambda: gone(dialog), "the dialog's end")
        assert shell.entry.sizes[0] == D(10)
        assert shell.entry.risk_money == D("75.50")
        assert shell.fresh_keys.left == ORDERS
        kept = PreferencesFile(desk.profile).now
        assert (kept.sizes[8], kept.risk_money) == ("90", "75.50")

    run(story())


@pytest.mark.parametrize("sizes", [("1",) * 8, ("0", *("1",) * 8), ("NaN", *("1",) * 8), ("1e99", *("1",) * 8)])
def test_sizes_that_are_none_are_refused(sizes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"nine keys|not a number"):
        read_sizes(sizes)
