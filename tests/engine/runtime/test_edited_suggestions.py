"""A suggestion that was priced anew or edited is shown as it stands: what is approved is what was seen."""

from decimal import Decimal

import pytest

from engine.api.commands import Edit, GetStatus, GetSuggestion, Requote
from engine.model.events.decision import Edited
from engine.runtime.engine import Engine

ALWAYS = """
id: always
title: Buys whenever it can
horizon: day
bar_seconds: 60
long: {enter: [close > 0]}
base_score: 0.5
min_score: 0.4
stop_atr: 3
target_atr: 4
risk_percent: 0.2
expires_bars: 30
cooldown_bars: 60
entry: touch
"""


@pytest.fixture
async def engine(make_spec, tmp_path):
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "always.yaml").write_text(ALWAYS, encoding="utf-8")
    made = Engine(make_spec(symbols=("AAPL",), strategies=folder))
    await made.start()
    await made.run(1_200)
    yield made
    await made.stop()


async def listed(engine: Engine) -> dict[str, object]:
    return (await engine.parts.handler.handle(GetStatus())).data["suggestions"][0]


async def shown(engine: Engine, name: str) -> dict[str, object]:
    return (await engine.parts.handler.handle(GetSuggestion(suggestion_id=name))).data["suggestion"]


async def test_what_is_priced_anew_is_listed_and_shown_with_the_prices_that_an_approval_would_send(engine):
    heard = []
    engine.parts.bus.subscribe(Edited, heard.append, owner="test")
    before = await listed(engine)
    await engine.run(240)
    receipt = await engine.parts.handler.handle(Requote(suggestion_id=before["id"], by="cli"))
    assert receipt.ok, receipt.text
    was, now = heard[-1].changes["entry"]
    assert was != now
    row, detail = await listed(engine), await shown(engine, before["id"])
    assert [str(row[name]) for name in ("entry", "stop", "target")] == [
        heard[-1].changes[name][1] for name in ("entry", "stop", "target")
    ]
    assert str(detail["entry"]) == now


async def test_an_edit_is_listed_and_shown(engine):
    name = (await listed(engine))["id"]
    receipt = await engine.parts.handler.handle(Edit(suggestion_id=name, quantity=Decimal(7), by="cli"))
    assert receipt.ok, receipt.text
    assert (await listed(engine))["quantity"] == 7
    assert Decimal((await shown(engine, name))["quantity"]) == 7


async def test_what_was_open_before_a_restart_can_be_approved_from_its_card_after_it(make_spec, tmp_path):
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "always.yaml").write_text(ALWAYS, encoding="utf-8")
    spec = make_spec(symbols=("AAPL",), strategies=folder)
    first = Engine(spec)
    await first.start()
    await first.run(1_200)
    asked = await listed(first)
    await first.stop()
    again = Engine(spec)
    await again.start()
    try:
        row = again.parts.showing.tables["suggestions"].get(asked["id"])
        assert row.state == "PENDING"
        detail = (await again.parts.handler.handle(GetSuggestion(suggestion_id=row.key))).data
        assert row.approval_hash
        assert row.approval_hash == detail["approval_hash"]
    finally:
        await again.stop()
