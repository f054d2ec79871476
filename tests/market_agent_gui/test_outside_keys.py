"""Keys that belong to somebody outside: told once, kept in sight, and consent before one of them stages or sends."""

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from engine.api.commands import CancelAll, PlaceOrder
from market_agent_gui.actions import ACTIONS, BY_ID
from market_agent_gui.keys.card import card_html
from market_agent_gui.keys.editor import KeyEditor
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.keys.outside import (
    Outside,
    Owner,
    System,
    bound,
    collision_text,
    collisions,
    owner_text,
    unsure_text,
    wants_consent,
)
from market_agent_gui.keys.outside_watch import OutsideWatch
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.presenters.outside_keys import OutsideKeys
from tests.support_gui.harness import Desk, dialog_of, until

LOCK = Owner(True, "screensaver")
PROGRAM = Owner(False)
KNOWN = {spec.id for spec in ACTIONS}


def outside(**taken: Owner) -> Outside:
    named = {key.replace("_", "+"): owner for key, owner in taken.items()}
    return Outside(system=System.X11, asked=bound(KeyMap()) | set(named) | {"F6"}, taken=named)


# --- words


@pytest.mark.usefixtures("qapp")
def test_a_key_and_its_owner_are_named_in_one_sentence() -> None:
    assert collision_text("Meta+L", LOCK) == "Super+L belongs to the desktop: lock the screen"
    assert collision_text("Ctrl+B", PROGRAM) == "Ctrl+B is taken by another program"
    assert owner_text(Owner(True, "My notes")) == "the desktop: My notes"
    assert owner_text(Owner(True)) == "the desktop's own"


@pytest.mark.usefixtures("qapp")
def test_what_a_system_does_not_tell_is_said() -> None:
    assert "Wayland" in unsure_text(Outside(system=System.WAYLAND))
    assert "macOS" in unsure_text(Outside(system=System.MAC))
    assert unsure_text(Outside(system=System.X11)) == unsure_text(Outside(system=System.WINDOWS)) == ""
    assert "no display" in unsure_text(Outside(system=System.X11, failed="no display"))


def test_what_stages_or_sends_wants_consent_and_what_lowers_risk_never_does() -> None:
    whole = {"bracket_up", "bracket_down", "bracket_up_ten", "bracket_down_ten"}
    assert {spec.id for spec in ACTIONS if wants_consent(spec)} == {"stage_buy", "stage_sell", "send"} | whole


def test_every_action_on_a_key_is_a_collision_of_its_own() -> None:
    found = collisions(KeyMap().with_key("marketable", "Ctrl+6"), outside(Ctrl_6=PROGRAM, Ctrl_B=LOCK))
    assert {(each.action, each.owner) for each in found} == {
        ("stage_buy", LOCK), ("marketable", PROGRAM), ("focus_chart", PROGRAM),
    }  # fmt: skip


# --- the editor and the card


@pytest.fixture
def editor(qtbot: QtBot) -> KeyEditor:
    made = KeyEditor(KeyMap(), KNOWN, "paper", outside=outside(Ctrl_B=PROGRAM, F5=LOCK, Ctrl_5=PROGRAM))
    qtbot.addWidget(made)
    return made


def test_the_editor_says_beside_each_key_who_else_has_it(editor: KeyEditor) -> None:
    assert editor._items["stage_buy"].text(3) == "⚠ taken by another program · does not act"
    assert editor._items["exit_half"].text(3) == "⚠ taken by another program"
    assert editor._items["stage_sell"].text(3) == ""
    assert editor.unsure.isHidden()


def test_a_key_of_the_desktop_stages_an_order_only_all_the_same(editor: KeyEditor, qtbot: QtBot) -> None:
    assert not editor.bind("stage_sell", "F5")
    assert editor.keys.key("stage_sell") == "Ctrl+S"
    assert "lock the screen" in editor.problem.text()
    assert editor.all_the_same.text() == "Use F5 all the same: Stage sell"
    editor.all_the_same.click()
    assert editor.keys.key("stage_sell") == "F5"
    assert editor._items["stage_sell"].text(3).endswith("used all the same")
    with qtbot.waitSignal(editor.saved) as saved:
        editor.on_accept()
    assert saved.args[1] == {"F5"}


def test_a_consent_goes_with_its_key(editor: KeyEditor, qtbot: QtBot) -> None:
    editor.tree.setCurrentItem(editor._items["stage_buy"])
    assert editor.all_the_same.text() == "Use Ctrl+B all the same: Stage buy"
    editor.all_the_same.click()
    assert editor.accepted == {"Ctrl+B"}
    assert editor.bind("stage_buy", "F6")
    with qtbot.waitSignal(editor.saved) as saved:
        editor.on_accept()
    assert saved.args[1] == frozenset()


def test_a_key_that_lowers_risk_is_bound_with_a_warning(editor: KeyEditor) -> None:
    assert editor.bind("cancel_last", "F5")
    assert editor.keys.key("cancel_last") == "F5"
    assert "lock the screen" in editor.problem.text()
    assert editor.all_the_same.isHidden()


def test_a_key_nobody_has_asked_about_stages_only_after_the_answer(editor: KeyEditor) -> None:
    asked: list[frozenset[str]] = []
    editor.ask_wanted.connect(asked.append)
    assert not editor.bind("stage_buy", "F7")
    assert editor.keys.key("stage_buy") == "Ctrl+B"
    assert "F7" in asked[0]
    free = Outside(system=System.X11, asked=frozenset({"F7"}), taken={})
    editor.show_outside(free)
    assert editor.keys.key("stage_buy") == "F7"
    assert not editor.bind("stage_sell", "F9")
    editor.show_outside(Outside(system=System.X11, asked=frozenset({"F9"}), taken={"F9": PROGRAM}))
    assert editor.keys.key("stage_sell") == "Ctrl+S"
    assert editor.all_the_same.text() == "Use F9 all the same: Stage sell"


def test_the_card_says_who_else_has_a_key() -> None:
    page = card_html(KeyMap(), KNOWN, "paper", outside(Ctrl_B=LOCK))
    assert page.count("⚠") == 1
    assert "⚠ the desktop: lock the screen" in page
    assert "Wayland" in card_html(KeyMap(), KNOWN, "paper", Outside(system=System.WAYLAND, asked=frozenset({"F1"})))


# --- telling


class Told:
    """What the system answers next, and what the person was told."""

    def __init__(self, qtbot: QtBot, keys: KeyMap | None = None) -> None:
        self.qtbot = qtbot
        self.answer: dict[str, Owner] = {}
        self.error = ""
        self.threads: list[int] = []
        self.keys = keys or KeyMap()
        self.watch = OutsideWatch(lambda: bound(self.keys), system=System.X11, ask=self._ask)
        self.presenter = OutsideKeys(self.watch, lambda: self.keys, ())
        self.said: list[str] = []
        self.notes: list[str] = []
        self.presenter.said.connect(lambda _severity, text: self.said.append(text))
        self.presenter.noted.connect(self.notes.append)

    def _ask(self, _keys: frozenset[str]) -> tuple[dict[str, Owner], str]:
        self.threads.append(threading.get_ident())
        if self.error:
            raise OSError(self.error)
        return dict(self.answer), ""

    def look(self) -> None:
        with self.qtbot.waitSignal(self.watch.changed):
            self.watch.ask()


@pytest.fixture
def told(qtbot: QtBot) -> Iterator[Told]:
    made = Told(qtbot)
    yield made
    made.watch.close()


def test_a_key_taken_over_is_told_once_and_stays_in_sight_until_it_is_given_back(told: Told) -> None:
    told.look()
    assert (told.said, told.notes[-1]) == ([], "")
    told.answer = {"Ctrl+B": PROGRAM, "F10": PROGRAM}
    told.look()
    told.look()
    assert told.said == ["Stage buy: Ctrl+B is taken by another program"], "the menu's key is no order's"
    assert told.notes[-1] == told.said[0]
    told.answer = {}
    told.look()
    assert told.notes[-1] == ""
    told.answer = {"Ctrl+B": PROGRAM}
    told.look()
    assert len(told.said) == 2, "taken over once more is told once more"


def test_the_system_is_never_asked_on_the_windows_thread(told: Told) -> None:
    told.look()
    assert told.threads
    assert threading.get_ident() not in told.threads


def test_a_system_that_does_not_answer_gives_no_key_back(told: Told) -> None:
    told.answer = {"Ctrl+B": PROGRAM}
    told.look()
    told.error = "no X server"
    told.look()
    assert "no X server" in unsure_text(told.watch.now)
    assert told.presenter.objection(BY_ID["stage_buy"], "Ctrl+B")


def test_only_a_consent_lets_a_taken_key_stage_and_none_is_needed_to_cancel(told: Told) -> None:
    told.answer = {"Ctrl+B": LOCK, "Ctrl+Z": PROGRAM}
    told.look()
    assert "lock the screen" in told.presenter.objection(BY_ID["stage_buy"], "Ctrl+B")
    assert told.presenter.objection(BY_ID["cancel_last"], "Ctrl+Z") == ""
    told.presenter.accept({"Ctrl+B"})
    assert told.presenter.objection(BY_ID["stage_buy"], "Ctrl+B") == ""
    assert "Stage buy" not in told.notes[-1]


def test_questions_asked_meanwhile_are_one_more_and_none_after_the_end(qtbot: QtBot) -> None:
    go = threading.Event()
    asked: list[frozenset[str]] = []

    def slow(keys: frozenset[str]) -> tuple[dict[str, Owner], str]:
        asked.append(keys)
        go.wait(5)
        return {}, ""

    watch = OutsideWatch(lambda: {"F1"}, system=System.X11, ask=slow)
    answers: list[Outside] = []
    watch.changed.connect(answers.append)
    for key in ("F5", "F6", "F7"):
        watch.ask({key})
    go.set()
    qtbot.waitUntil(lambda: len(answers) == 2)
    assert asked == [frozenset({"F1", "F5"}), frozenset({"F1", "F6", "F7"})]
    watch.close()
    watch.ask()
    assert watch._thread is None
    assert len(asked) == 2


# --- in the window


def answer(desk: Desk, taken: dict[str, Owner]) -> None:
    """Let the system answer in the window of ``desk``."""
    watch = desk.shell.outside.watch
    watch._on_answer(Outside(system=System.X11, asked=bound(desk.shell.keys.keys), taken=taken))


def test_a_taken_key_neither_stages_nor_sends_until_it_is_used_all_the_same(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        answer(desk, {"Ctrl+B": LOCK, "Return": PROGRAM, "Ctrl+Shift+Backspace": PROGRAM})
        assert "Ctrl+B" in shell.head.status.accessibleName()
        chart = shell.window.docks["chart"].pane
        desk.key("Ctrl+B", chart)
        assert shell.entry.staged is None
        assert any("lock the screen" in text and "Change keys" in text for _, text in desk.toasts)
        shell.commander.run("arm", "key")
        shell.commander.run("stage_buy", "palette")
        assert shell.entry.staged is not None, "the palette needs no key"
        desk.key("Return", chart)
        assert not desk.sent(PlaceOrder)
        assert shell.key_log.presses[-1].outcome.startswith("Enter is taken by another program")
        shell.program._use_keys(shell.keys.keys, {"Ctrl+B", "Return"})
        assert PreferencesFile(desk.profile).now.keys_all_the_same == ("Ctrl+B", "Return")
        shell.guard._last.clear()
        shell.commander.run("arm", "key")
        desk.key("Return", chart)
        await until(lambda: desk.sent(PlaceOrder), "the order")
        # What lowers risk acts whoever else has its key.
        desk.key("Ctrl+Shift+Backspace")
        await until(lambda: desk.sent(CancelAll), "the cancel")

    run(story())


def test_the_editor_of_the_window_is_told_what_the_system_answers(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.commander.run("edit_keys", "menu")
        editor = dialog_of(KeyEditor)
        assert editor.unsure.text() == "This system does not tell whose keys these are."
        answer(desk, {"Ctrl+B": LOCK})
        assert "lock the screen" in editor._items["stage_buy"].text(3)
        editor.reject()

    run(story())
