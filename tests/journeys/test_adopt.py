"""What differs from the broker stands in a pane of its own; a person takes it over. A mandate is signed."""

from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

from engine.api.commands import AdoptPosition, RevokeMandate, SignMandate
from engine.api.rows import DriftRow
from market_agent_gui.adopt_dialog import AdoptDialog
from market_agent_gui.mandate_dialog import MandateDialog
from tests.support_gui.harness import Desk, asked, gone, until

D = Decimal
Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_a_difference_is_shown_side_by_side_beside_the_positions_and_taken_over(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        shell = desk.shell
        desk.engine.put("drifts", DriftRow(key="AAPL", symbol="AAPL", ours=D(100), theirs=D(150), since_ns=1))
        shell.head._on_show("DRIFT:AAPL")
        dock = shell.window.docks["differences"]
        await until(dock.isVisible, "the pane")
        assert shell.window.docks["positions"] in shell.window.tabifiedDockWidgets(dock)
        table = shell.presenters["differences"].pane
        await until(lambda: table.rows.all_rows(), "the row")
        texts = [column.format(table.rows.all_rows()[0]) for column in table.rows.columns][:4]
        assert texts == ["AAPL", "100", "150", "+50"]
        table.opened.emit("AAPL")
        dialog = await asked(AdoptDialog)
        dialog.yes.click()
        assert dialog.problem.isVisible()
        dialog.reason.setText("bought in the broker's program")
        dialog.yes.click()
        await until(lambda: desk.sent(AdoptPosition), "the command")
        sent = desk.sent(AdoptPosition)[0]
        assert (sent.symbol, sent.theirs) == ("AAPL", 150)
        await until(lambda: gone(dialog), "the dialog's end")

    run(day())


def test_a_mandate_is_signed_with_caps_that_make_sense_and_ended(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        desk.shell.commander.run("sign_mandate", "palette")
        dialog = await asked(MandateDialog)
        dialog.order.setText("5 000")
        for wrong in ("", "many", "4000"):
            dialog.day.setText(wrong)
            dialog.yes.click()
            assert dialog.problem.isVisible()
        dialog.day.setText("20000")
        dialog.symbols.setText("aapl, msft")
        dialog.yes.click()
        await until(lambda: desk.sent(SignMandate), "the command")
        sent = desk.sent(SignMandate)[0]
        assert (sent.max_order, sent.max_day, sent.symbols) == (5000, 20000, ("AAPL", "MSFT"))
        desk.shell.commander.run("end_mandate", "palette")
        await until(lambda: desk.sent(RevokeMandate), "the end")

    run(day())
