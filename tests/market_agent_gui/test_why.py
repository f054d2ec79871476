"""*Why* shows the suggestion that is selected, whatever comes and goes in the queue."""

import random

from tests.support_gui.harness import Desk, until


def test_the_evidence_is_always_that_of_the_selected_card(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        queue, panel = desk.shell.presenters["suggestions"]._queue, desk.shell.presenters["why"]._panel
        seen: set[str] = set()
        rng = random.Random(3)
        for step in range(60):
            what = rng.randrange(5)
            shown = queue.shown_keys()
            if what == 0:
                desk.engine.suggest(2000 + step, rng.choice(("AAPL", "NVDA", "AMD")), worth=None)
            elif what == 1 and shown:
                row = desk.engine.tables["suggestions"].get(rng.choice(shown))
                desk.engine.suggest(int(row.key[2:]), row.symbol, state=rng.choice(("EXPIRED", "PENDING", "REJECTED")))
            elif what == 2 and shown:
                queue.select(rng.choice(shown))
            elif what == 3:
                queue.head.set_current(rng.choice(("open", "done")))
            else:
                queue.step(rng.choice((-1, 1)))
            await _passed()
            assert panel.suggestion == queue.current
            if queue.current:
                assert panel._row == queue._rows[queue.current]
                assert queue.current in panel.head.accessibleName()
            seen.add(queue.current)
        assert len(seen) > 5

    async def _passed() -> None:
        table, queue = desk.engine.tables["suggestions"], desk.shell.presenters["suggestions"]._queue
        await until(lambda: queue._rows == {row.key: row for row in table.rows()}, "the queue's rows")

    run(story())


def test_a_closed_suggestion_says_so_over_its_evidence(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        queue, panel = desk.shell.presenters["suggestions"]._queue, desk.shell.presenters["why"]._panel
        desk.engine.suggest(1042, "AAPL", state="EXPIRED")
        await until(lambda: queue._rows["S-1042"].state == "EXPIRED", "the row")
        queue.select("S-1042")
        assert panel.suggestion == "S-1042"
        assert "EXPIRED" in panel.head.accessibleName()

    run(story())
