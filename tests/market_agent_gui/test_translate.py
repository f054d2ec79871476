"""Both languages say everything, with the same names to fill in, and switch while a window is open."""

import string
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton

from market_agent_gui.dock_frame import DockFrame
from market_agent_gui.docks import BY_ID
from market_agent_gui.translate import Language, load_catalogue, say
from tests.support_gui.strings import spoken, tables, widget_tables
from widgets.words import tr


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.usefixtures("qapp")
def test_every_string_of_the_shell_is_translated(repo_dir: Path) -> None:
    wanted = spoken(repo_dir / "market_agent_gui") | tables()
    assert sorted(wanted - set(load_catalogue("ru"))) == []


def test_every_string_of_the_widgets_is_translated(repo_dir: Path) -> None:
    wanted = spoken(repo_dir / "widgets", ("tr",)) | widget_tables()
    assert sorted(wanted - set(load_catalogue("ru"))) == []


def test_every_indicator_and_limit_has_a_name_in_both_languages() -> None:
    from engine.features.indicators.registry import INDICATORS
    from engine.risk.uses import _KEYS

    wanted = {spec.title for spec in INDICATORS.values()} | set(_KEYS)
    assert sorted(wanted - set(load_catalogue("ru"))) == []


def test_every_parameter_choice_and_line_of_an_indicator_has_a_name_in_both_languages() -> None:
    from engine.features.indicators.registry import INDICATORS

    words = {word for spec in INDICATORS.values() for param in spec.params for word in (param.name, *param.choices)}
    words |= {output.name for spec in INDICATORS.values() if len(spec.outputs) > 1 for output in spec.outputs}
    wanted = {f"{str(word).replace('_', ' ')}|indicator" for word in words}
    assert sorted(wanted - set(load_catalogue("ru"))) == []


def test_what_qt_says_itself_is_in_the_language_too(qapp: QApplication) -> None:
    language = Language(qapp)
    dialog = None
    try:
        language.use("ru")
        dialog = QFileDialog()
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        texts = {label.text() for label in dialog.findChildren(QLabel)}
        assert {"Перейти &к:", "&Имя файла:", "&Тип файлов:"} <= texts
        assert {"&Открыть", "Отмена"} <= {button.text() for button in dialog.findChildren(QPushButton)}
        assert QCoreApplication.translate("QPlatformTheme", "Open") == "Открыть"
        assert say("Open") == "Открытые", "the column of open orders"
    finally:
        if dialog is not None:
            dialog.deleteLater()
        language.use("en")
    assert QCoreApplication.translate("QPlatformTheme", "Open") == "Open"


def test_every_algorithm_and_its_parameters_have_a_name_in_both_languages() -> None:
    from engine.execution.algos.plugins import own_algorithms

    algos = own_algorithms().values()
    params = [param for algo in algos for param in algo.params]
    wanted = {algo.title for algo in algos} | {text for param in params for text in (param.title, param.description)}
    wanted |= {choice for param in params for choice in param.choices}
    assert sorted(wanted - set(load_catalogue("ru"))) == []


def test_every_word_of_the_brokers_own_algorithms_has_both_languages() -> None:
    from engine.execution.brokers.ibkr.native_algos import NATIVE

    params = [param for algo in NATIVE for param in algo.params]
    choices = {choice for param in params for choice in param.choices if not choice.isdigit()}
    wanted = {algo.title for algo in NATIVE} | {p.title for p in params} | {p.description for p in params} | choices
    assert sorted(wanted - set(load_catalogue("ru"))) == []


def test_one_english_word_of_two_meanings_is_told_apart(qapp: QApplication) -> None:
    language = Language(qapp)
    assert tr("limit", "order type") == tr("limit") == "limit"
    try:
        language.use("ru")
        assert (tr("limit", "order type"), tr("limit"), tr("limit", "no such")) == ("лимитная", "лимит", "лимит")
    finally:
        language.use("en")


def test_a_translation_fills_in_the_same_names() -> None:
    assert [text for text, translated in load_catalogue("ru").items() if fields(text) != fields(translated)] == []


def test_the_language_changes_while_a_pane_is_open(qapp: QApplication) -> None:
    dock = DockFrame(BY_ID["positions"])
    language = Language(qapp)
    try:
        language.use("ru")
        dock.retranslate()
        assert dock.windowTitle() == "Позиции"
        assert say("Loading {symbol}…", symbol="AAPL") == "Загрузка AAPL…"
    finally:
        language.use("en")
    dock.retranslate()
    assert dock.windowTitle() == "Positions"


def test_an_unknown_language_is_refused_and_the_old_one_stays(qapp: QApplication) -> None:
    language = Language(qapp)
    with pytest.raises(ValueError, match="klingon"):
        language.use("klingon")
    assert language.name == "en"
