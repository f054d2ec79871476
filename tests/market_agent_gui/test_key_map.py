"""Key maps: defaults agree with themselves, conflicts are refused, files are judged."""

import json
from pathlib import Path

import pytest

from market_agent_gui.actions import ACTIONS
from market_agent_gui.keys.key_map import DEFAULTS, KeyMap, KeyMapError, key_file, load_key_map, normal, save_key_map


def test_the_defaults_hold_no_conflict() -> None:
    assert KeyMap().conflicts() == []


def test_every_default_is_a_key_qt_knows() -> None:
    assert all(DEFAULTS[spec.id] for spec in ACTIONS if spec.key)


def test_a_key_that_another_action_has_is_refused_with_its_name() -> None:
    with pytest.raises(KeyMapError, match="stage_sell"):
        KeyMap().with_key("stage_buy", "Ctrl+S")


def test_a_key_that_acts_anywhere_is_free_for_no_other_action() -> None:
    with pytest.raises(KeyMapError, match="stop"):
        KeyMap().with_key("price_up", "Ctrl+.")


def test_a_staged_key_may_hide_one_of_the_window() -> None:
    keys = KeyMap().with_key("marketable", "Ctrl+6")
    assert keys.find("Ctrl+6", staged=True, in_text=False) == "marketable"
    assert keys.find("Ctrl+6", staged=False, in_text=False) == "focus_chart"


def test_stop_cannot_lose_its_key() -> None:
    with pytest.raises(KeyMapError, match="STOP"):
        KeyMap({"stop": ""})


def test_plain_keys_mean_nothing_while_nothing_is_staged() -> None:
    keys = KeyMap()
    assert keys.find("Return", staged=False, in_text=False) is None
    assert keys.find("Return", staged=True, in_text=False) == "send"


def test_text_keeps_its_keys_but_for_those_of_safety() -> None:
    keys = KeyMap()
    assert keys.find("Ctrl+Z", staged=True, in_text=True) is None
    assert keys.find("Return", staged=True, in_text=True) is None
    assert keys.find("Ctrl+.", staged=True, in_text=True) == "stop"
    assert keys.find("Ctrl+Shift+Backspace", staged=False, in_text=True) == "cancel_all"


def test_a_saved_map_comes_back(tmp_path: Path) -> None:
    path = key_file(tmp_path, "paper")
    save_key_map(path, KeyMap().with_key("stage_buy", "F5"))
    assert load_key_map(path).key("stage_buy") == "F5"
    assert json.loads(path.read_text()) == {"stage_buy": "F5"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1"),
        ("[]", "object"),
        ('{"fly": "F5"}', "fly"),
        ('{"stage_buy": "Banana"}', "stage_buy"),
        ('{"stage_buy": "Ctrl+S"}', "stage_sell"),
        ('{"stage_buy": 3}', "object"),
    ],
)
def test_a_bad_file_is_refused_and_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    path = key_file(tmp_path, "paper")
    path.write_text(text)
    with pytest.raises(KeyMapError, match=says):
        load_key_map(path)


def test_both_enter_keys_are_one() -> None:
    assert normal("Enter") == normal("Return") == "Return"


@pytest.mark.parametrize("key", ["F", "Shift+F", "5", ".", "Space", "Return", "Backspace", "Shift+Tab", "Up"])
@pytest.mark.parametrize("action", ["flatten_symbol", "exit_all", "stage_buy", "bracket_up", "arm", "stop", "palette"])
def test_what_acts_on_orders_or_in_text_is_on_no_key_that_is_pressed_in_passing(action: str, key: str) -> None:
    with pytest.raises(KeyMapError, match=f"{action}: .* in passing"):
        KeyMap({action: key})


@pytest.mark.parametrize("key", ["F7", "Ctrl+J", "Alt+J", "Meta+J", "Shift+F9", "Ins", "Pause", "Esc"])
def test_a_chord_or_a_key_that_writes_nothing_may_act_on_orders(key: str) -> None:
    keys = KeyMap({"exit_all": key, **({"drop": ""} if key == "Esc" else {})})
    assert keys.find(key, staged=False, in_text=False) == "exit_all"


def test_what_acts_on_a_staged_order_or_in_the_chart_or_only_shows_may_be_on_a_plain_key() -> None:
    keys = KeyMap({"marketable": "X", "scan": "Q", "compare": "W"})
    assert keys.find("X", staged=True, in_text=False) == "marketable"
