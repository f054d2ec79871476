"""Presets in the window: keys and ticket begin with them, they survive and travel, and a bad one harms nothing."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QMenu

from engine.api.commands import GetIndicator, PlaceOrder, Receipt
from engine.api.rows import QuoteRow
from engine.model.market import Side
from engine.model.order import OrderType, TimeInForce
from market_agent_gui.actions import BY_ID, PRESET_BUY, words
from market_agent_gui.keys.editor import KeyEditor
from market_agent_gui.keys.fresh import ORDERS, touches_orders
from market_agent_gui.keys.key_map import KeyMap, KeyMapError
from market_agent_gui.keys.outside import wants_consent
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.preset_dialog import PresetDialog
from market_agent_gui.presets import Presets
from market_agent_gui.workspace import read_workspace
from tests.support_gui.harness import Desk, until
from widgets.order_ticket import OrderTicket
from widgets.ticket_draft import Away, AwayIn, SizeIn
from widgets.ticket_preset import Preset

D = Decimal
TIGHT = Preset(size=(D(300), SizeIn.SHARES), stop=Away(D(20), AwayIn.TICKS), tif=TimeInForce.GTC)


def store(profile: Path, kind: str = "STK") -> tuple[Presets, PreferencesFile]:
    file = PreferencesFile(profile)
    return Presets(file, lambda _symbol: kind), file


# --- kept


def test_presets_are_kept_and_the_nearest_fills(tmp_path: Path, qapp) -> None:
    presets, _ = store(tmp_path)
    presets.keep("all", Preset(outside_rth=True, tif=TimeInForce.DAY))
    presets.keep("kind STK", Preset(tif=TimeInForce.GTC))
    presets.keep("symbol AAPL", Preset(size=(D(7), SizeIn.SHARES)))
    again, _ = store(tmp_path)
    found = again.filling("AAPL")
    assert found.preset == Preset(outside_rth=True, tif=TimeInForce.GTC, size=(D(7), SizeIn.SHARES))
    assert found.sources == ("symbol AAPL", "kind STK", "all")
    assert again.filling("MSFT").sources == ("kind STK", "all")
    fund, _ = store(tmp_path, "ETF")
    assert fund.filling("SPY").sources == ("all",)
    with pytest.raises(ValueError, match="there is no preset “Scalp”"):
        again.filling("AAPL", "Scalp")
    again.keep("symbol AAPL", Preset())
    assert store(tmp_path)[0].places() == ["all", "kind STK"], "one that says nothing is none"


def test_a_bad_preset_in_the_file_is_named_not_used_and_not_lost(tmp_path: Path, qapp) -> None:
    stored = {"all": {"size": "ten shares"}, "kind MOON": {}, "symbol AAPL": {"tif": "GTC"}, "name ": {}}
    (tmp_path / "window.json").write_text(json.dumps({"presets": stored, "theme": "light"}))
    presets, file = store(tmp_path)
    assert presets.places() == ["symbol AAPL"]
    assert file.now.theme == "light"
    for part in ("'all'", "size: 'ten' is not a number", "'kind MOON'", "'name '"):
        assert part in file.problem
    presets.keep("symbol MSFT", TIGHT)
    kept = json.loads((tmp_path / "window.json").read_text())["presets"]
    assert kept["all"] == {"size": "ten shares"}
    assert kept["symbol MSFT"] == {"tif": "GTC", "size": "300 shares", "stop": "20 ticks"}
    (tmp_path / "window.json").write_text(json.dumps({"presets": ["x"]}))
    presets, file = store(tmp_path)
    assert presets.places() == []
    assert "presets in window.json are not a table" in file.problem


@pytest.mark.parametrize("place", ["", "name", "name a/b", "name " + "x" * 25, "symbol ", "symbol A B", "kind XX"])
def test_a_place_that_is_none_is_refused(place: str, tmp_path: Path, qapp) -> None:
    with pytest.raises(ValueError, match=r"is no|there is no place"):
        store(tmp_path)[0].keep(place, TIGHT)


# --- keys


def chosen(desk: Desk, symbol: str = "AAPL") -> OrderTicket:
    desk.shell.links.choose("chart", symbol)
    return desk.shell.window.docks["ticket"].pane


def test_a_key_stages_with_the_presets_of_the_symbol_and_what_is_sent_is_what_was_shown(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.presets.keep("symbol AAPL", TIGHT)
        shell.fresh_keys._count(0)
        ticket = chosen(desk)
        await until(lambda: not shell.entry.blocked("AAPL"), "a fresh quote")
        desk.key("Ctrl+B", shell.window.docks["chart"].pane)
        staged = shell.entry.staged
        assert staged is not None
        assert (staged.quantity, staged.tif) == (D(300), TimeInForce.GTC)
        assert staged.stop == staged.limit - 20 * staged.tick
        assert ticket.draft.preset == ("symbol AAPL",)
        desk.key("Shift+Down")
        moved = shell.entry.staged
        assert moved is not None
        assert moved.stop == moved.limit - 20 * moved.tick, "the stop keeps its distance"
        desk.key("L")
        desk.key("Up")
        desk.key("L")
        desk.key("L")
        desk.key("Down")
        last = shell.entry.staged
        assert last is not None
        assert last.stop == moved.stop + moved.tick, "a hand has put it there"
        shell.commander.run("arm", "key")
        shell.guard._last.clear()
        desk.key("Return")
        await until(lambda: desk.sent(PlaceOrder), "the order")
        sent = desk.sent(PlaceOrder)[0].request
        assert (sent.quantity, sent.tif, sent.stop_loss) == (D(300), TimeInForce.GTC, last.stop)
        assert sent.limit_price == last.limit

    run(story())


def test_a_joining_order_takes_its_stop_along(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.presets.keep("all", TIGHT)
        chosen(desk)
        shell.commander.run("stage_buy", "palette")
        before = shell.entry.staged
        assert before is not None
        desk.engine.quote("AAPL", float(before.limit) + 1, float(before.limit) + 1.02)
        await until(lambda: shell.entry.staged and shell.entry.staged.limit != before.limit, "the quote followed")
        after = shell.entry.staged
        assert after is not None
        assert after.limit - after.stop == before.limit - before.stop

    run(story())


def test_a_preset_by_name_has_actions_in_palette_and_editor_and_goes_with_them(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        chosen(desk)
        shell.presets.keep("symbol AAPL", TIGHT)
        shell.presets.keep("name Scalp", Preset(size=(D(50), SizeIn.SHARES)))
        shell.fresh_keys._count(0)
        titles = [entry.title for entry in shell.program.palette_source.entries("")]
        assert "Stage buy with preset Scalp" in titles
        assert shell.commander.run(PRESET_BUY + "Scalp", "palette")
        staged = shell.entry.staged
        assert staged is not None
        assert (staged.quantity, staged.tif) == (D(50), TimeInForce.GTC), "what it leaves open comes from the symbol"
        assert staged.preset == ("name Scalp", "symbol AAPL")
        shell.program._use_keys(KeyMap({PRESET_BUY + "Scalp": "Ctrl+9"}))
        shell.entry.drop()
        desk.key("Ctrl+9", shell.window.docks["chart"].pane)
        assert shell.entry.staged is not None
        shell.entry.drop()
        shell.presets.forget("name Scalp")
        assert not shell.commander.knows(PRESET_BUY + "Scalp")
        desk.key("Ctrl+9", shell.window.docks["chart"].pane)
        assert shell.entry.staged is None
        shell.program._edit_keys()
        editor = next(child for child in shell.window.findChildren(KeyEditor) if child.isVisible())
        assert PRESET_BUY + "Scalp" in editor._items, "its key can be taken away"
        editor.reject()

    run(story())


def test_a_key_map_knows_actions_of_presets_by_their_names_alone() -> None:
    keys = KeyMap({PRESET_BUY + "Scalp": "Ctrl+9"})
    assert keys.changes == {PRESET_BUY + "Scalp": "Ctrl+9"}
    assert keys.key(PRESET_BUY + "Other") == ""
    assert keys.find("Ctrl+9", staged=False, in_text=False) == PRESET_BUY + "Scalp"
    assert touches_orders(KeyMap(), keys)
    assert wants_consent(BY_ID[PRESET_BUY + "Scalp"])
    with pytest.raises(KeyMapError, match="both"):
        KeyMap({PRESET_BUY + "Scalp": "Ctrl+B"})
    for bad in ("preset_buy:", "preset_hold:x"):
        with pytest.raises(KeyMapError, match="there is no action"):
            KeyMap({bad: "Ctrl+9"})


def test_an_order_without_a_limit_opens_in_the_ticket_and_a_click_on_a_price_stays_a_limit(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.presets.keep("all", Preset(order_type=OrderType.MARKET, size=(D(40), SizeIn.SHARES)))
        shell.fresh_keys._count(0)
        ticket = chosen(desk)
        desk.key("Ctrl+B", shell.window.docks["chart"].pane)
        assert shell.entry.staged is None
        request = ticket.request()
        assert request is not None
        assert (request.order_type, request.quantity, request.side) == (OrderType.MARKET, D(40), Side.BUY)
        assert not desk.sent(PlaceOrder)
        shell.entry.stage_at(Side.SELL, D("200.00"))
        staged = shell.entry.staged
        assert staged is not None
        assert (staged.limit, staged.order_type, staged.quantity) == (D("200.00"), OrderType.LIMIT, D(40))

    run(story())


def test_a_size_by_risk_needs_its_stop_and_is_held_while_the_price_moves(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        chosen(desk)
        shell.presets.keep("symbol AAPL", Preset(size=(D(500), SizeIn.RISK)))
        shell.commander.run("stage_buy", "palette")
        assert shell.entry.staged is None
        assert any("Risk needs a stop" in text for _, text in desk.toasts)
        shell.presets.keep("symbol AAPL", Preset(size=(D(500), SizeIn.RISK), stop=Away(D(100), AwayIn.TICKS)))
        shell.fresh_keys._count(0)
        shell.commander.run("stage_buy", "palette")
        staged = shell.entry.staged
        assert staged is not None
        assert (staged.quantity, staged.risk) == (D(500), D(500))
        assert staged.request().intended_notional is None

    run(story())


def test_a_stop_by_range_is_asked_for_and_without_an_answer_nothing_is_staged(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        desk.engine.refuse[GetIndicator] = Receipt(ok=False, code="NO_BARS", text="No bars of AAPL are known yet.")
        shell.presets.keep("symbol AAPL", Preset(stop=Away(D(2), AwayIn.ATR)))
        ticket = chosen(desk)
        shell.commander.run("stage_buy", "palette")
        assert shell.entry.staged is None
        assert any("average range is not known" in text for _, text in desk.toasts)
        assert ticket.request() is None
        del desk.engine.refuse[GetIndicator]
        shell.presets.ranges._asked.clear()
        shell.presets.ranges.ask("AAPL")
        await until(lambda: shell.presets.ranges.get("AAPL"), "the range")
        asked = [command for command in desk.sent(GetIndicator) if command.id == "atr"][-1]
        assert (asked.symbol, asked.seconds, asked.params) == ("AAPL", 86_400, {"period": 14})
        shell.commander.run("stage_buy", "palette")
        staged = shell.entry.staged
        assert staged is not None
        wide = 2 * shell.presets.ranges.get("AAPL")
        assert abs(staged.limit - staged.stop - wide) <= staged.tick

    run(story())


# --- around


def test_new_presets_disarm_and_the_first_orders_are_small_and_confirmed(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        chosen(desk)
        await until(lambda: not shell.entry.blocked("AAPL"), "a fresh quote")
        shell.commander.run("arm", "key")
        assert shell.arming.armed
        shell.presets.keep("symbol AAPL", Preset(size=(D(900), SizeIn.SHARES)))
        assert not shell.arming.armed
        assert (shell.fresh_keys.left, shell.fresh_keys.why) == (ORDERS, "presets")
        shell.commander.run("stage_buy", "palette")
        assert shell.entry.staged is not None
        assert shell.entry.staged.quantity == min(shell.entry.sizes)

    run(story())


def test_presets_changed_outside_want_confirmations_too(desk: Desk, run) -> None:
    async def story() -> None:
        desk.shell.preferences.change(keys_presets="another")
        await desk.open()
        await until(lambda: desk.shell.fresh_keys.left == ORDERS, "the change of presets")
        assert desk.shell.fresh_keys.why == "presets"

    run(story())


def test_what_the_broker_does_not_take_is_not_applied_and_the_ticket_says_so(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        await until(lambda: shell.presets.presets.offered[0], "what the broker takes")
        shell.presets.keep("all", Preset(order_type=OrderType.RELATIVE, size=(D(10), SizeIn.SHARES)))
        ticket = chosen(desk)
        assert (ticket.draft.order_type, ticket.draft.size) == (OrderType.LIMIT, D(10))
        assert any("not taken by the broker: REL" in text for text, _, _ in ticket.head._words)
        shell.commander.run("stage_buy", "palette")
        assert shell.entry.staged is not None
        assert shell.entry.staged.order_type is OrderType.LIMIT
        assert any("not taken by the broker: REL" in text for text, _, _ in ticket.head._words)

    run(story())


def test_the_kind_of_instrument_is_heard_late_and_its_preset_fills_what_is_untouched(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.presets.keep("kind ETF", Preset(size=(D(11), SizeIn.SHARES)))
        ticket = chosen(desk)
        assert ticket.draft.size is None
        row = shell.bridge.mirror.rows("quotes")["AAPL"]
        assert isinstance(row, QuoteRow)
        desk.engine.put("quotes", msgspec.structs.replace(row, badges=("N3",)))
        await until(lambda: shell.bridge.mirror.rows("quotes")["AAPL"].badges == ("N3",), "the row")
        desk.engine.put("quotes", msgspec.structs.replace(row, kind="ETF"))
        await until(lambda: ticket.draft.size == D(11), "the preset of funds")

    run(story())


def test_the_menu_of_the_ticket_keeps_uses_and_forgets(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        row = shell.bridge.mirror.rows("quotes")["AAPL"]
        desk.engine.put("quotes", msgspec.structs.replace(row, kind="STK"))
        await until(lambda: shell.bridge.mirror.rows("quotes")["AAPL"].kind == "STK", "the kind")
        ticket = chosen(desk)
        for name, text in (("size", "120"), ("limit", "190.00"), ("stop", "189.50")):
            field = ticket.sentence._fields[name]
            field.setText(text)
            field.textEdited.emit(text)
        menu = ticket.bar.menu
        shell.presets._fill(menu)
        entries = {action.text(): action for action in menu.actions() if action.text()}
        wanted = {f"Keep as preset of {whose}…" for whose in ("AAPL", "stocks", "all orders")}
        assert set(entries) == wanted | {"Keep under a name…"}
        entries["Keep under a name…"].trigger()
        dialog = next(child for child in shell.window.findChildren(PresetDialog) if child.isVisible())
        assert dialog.numbers["stop"].text() == "50"
        dialog.on_accept()
        assert "is no name" in dialog.problem.text()
        dialog.name.setText("Scalp")
        dialog.on_accept()
        kept = shell.presets.presets.get("name Scalp")
        assert kept is not None
        assert (kept.size, kept.stop) == ((D(120), SizeIn.SHARES), Away(D(50), AwayIn.TICKS))
        ticket.drop()
        assert ticket.draft.size is None
        shell.presets._fill(menu)
        next(action for action in menu.actions() if action.text() == "Begin with “Scalp”").trigger()
        assert ticket.draft.size == D(120)
        forget = next(sub for sub in menu.findChildren(QMenu) if sub.title() == "Forget a preset")
        forget.actions()[0].trigger()
        assert shell.presets.presets.places() == []

    run(story())


def test_presets_travel_with_an_exported_workspace_and_replace_none(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell, file = desk.shell, desk.profile / "out.json"
        shell.presets.keep("name Scalp", TIGHT)
        shell.presets.keep("all", Preset(tif=TimeInForce.DAY))
        shell.workspaces._export(str(file))
        assert read_workspace(file).presets == {"all": {"tif": "DAY"}, "name Scalp": {
            "tif": "GTC", "size": "300 shares", "stop": "20 ticks"}}  # fmt: skip
        shell.presets.forget("name Scalp")
        shell.presets.keep("all", Preset(tif=TimeInForce.IOC))
        raw = json.loads(file.read_text())
        raw["presets"]["kind STK"] = {"size": "many"}
        file.write_text(json.dumps(raw))
        shell.workspaces._import(str(file))
        assert shell.presets.presets.get("name Scalp") == TIGHT
        assert shell.presets.presets.get("all") == Preset(tif=TimeInForce.IOC)
        assert shell.presets.presets.get("kind STK") is None
        told = " ".join(text for _, text in desk.toasts)
        assert "taken from the file: “Scalp”" in told
        assert "stay as they were: all orders" in told
        assert "kind STK: size" in told

    run(story())


def test_the_rehearsal_says_what_staging_would_make_of_the_presets(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        chosen(desk)
        shell.presets.keep("symbol AAPL", TIGHT)
        shell.fresh_keys._count(0)
        shell.program._use_keys(KeyMap({PRESET_BUY + "Gone": "Ctrl+9"}))
        shell.fresh_keys._count(0)
        minted = shell.entry._intents.last
        shell.commander.run("rehearse", "key")
        said = {line.action: line.effect for line in shell.program.rehearsal.overlay._lines}
        assert said["stage_buy"].startswith("BUY 300 AAPL @ ")
        assert " · stop " in said["stage_buy"]
        assert said[PRESET_BUY + "Gone"] == "there is no preset “Gone”"
        assert shell.entry._intents.last == minted, "a rehearsal mints nothing"
        shell.commander.run("rehearse", "key")

    run(story())


def test_a_dialog_with_nothing_or_nonsense_in_it_keeps_nothing(qtbot) -> None:
    kept: list[object] = []
    dialog = PresetDialog("all", Preset(), types=("LMT", "MKT"), tifs=("DAY",))
    qtbot.addWidget(dialog)
    dialog.kept.connect(lambda _place, preset: kept.append(preset))
    assert [dialog.type.itemData(n) for n in range(dialog.type.count())] == ["", "LMT", "MKT"]
    dialog.on_accept()
    assert "nothing to keep" in dialog.problem.text()
    dialog.numbers["stop"].setText("lots")
    dialog.on_accept()
    assert "stop: 'lots' is not a number above zero" in dialog.problem.text()
    dialog.numbers["stop"].setText("1,5")
    dialog.units["stop"].setCurrentIndex(2)
    dialog.on_accept()
    assert kept == [Preset(stop=Away(D("1.5"), AwayIn.ATR))]
    assert words(BY_ID["stage_buy"]) == "Stage buy"
