"""Strings in the user's language, switchable while the window is open.

Catalogues are JSON: English source text, or ``text|meaning`` where English has one word for two things, to translation.
Qt asks :class:`Catalogue` for every ``tr()`` of every widget; tables of actions and docks are translated by
:func:`say`. What the engine tells, in English, is asked for in a context of its own (``told`` in ``widgets/words.py``).
"""

import json
import logging
import re
from functools import cached_property
from importlib import resources

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QObject, QTranslator

from market_agent_gui.sentences import Sentences
from widgets.words import once_more, remember, say_again, told

log = logging.getLogger(__name__)

LANGUAGES = {"en": "English", "ru": "Русский"}
CONTEXT = "MarketAgent"
ENGINE = "engine"


def say(text: str, meaning: str = "", /, **values: object) -> str:
    """Translate ``text`` and fill in its ``{names}``, errors in words too; ``meaning`` tells English homonyms apart."""
    # An error is kept in its words: it would keep alive whatever it has passed through.
    plain = {name: str(value) if isinstance(value, BaseException) else value for name, value in values.items()}
    errors = {name for name, value in values.items() if isinstance(value, BaseException)}
    return _said(text, meaning, plain, errors)


def _said(text: str, meaning: str, values: dict[str, object], errors: set[str]) -> str:
    said = QCoreApplication.translate(CONTEXT, text, meaning)
    if values:
        said = said.format(**{name: told(str(value)) if name in errors else value for name, value in values.items()})

    def again() -> str:
        anew = {name: once_more(value) if isinstance(value, str) else value for name, value in values.items()}
        return _said(text, meaning, anew, errors)

    return remember(said, again)


class Catalogue(QTranslator):
    """One language. A text without a translation stays English."""

    def __init__(self, language: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._language = language
        self._texts = load_catalogue(language)
        self._qt = QTranslator(self)
        """What Qt itself says, in its file dialogs and fields; not every installation of Qt brings it."""
        if self._texts and not self._qt.load(f"qtbase_{language}", _qt_folder()):
            log.info("Qt brings no words of its own for %s; they stay English", language)

    @cached_property
    def sentences(self) -> Sentences:
        """What the engine says; read when it has said something for the first time."""
        words = {text: other for text, other in self._texts.items() if not _KEPT.search(text)}
        return Sentences(load_sentences(self._language), words)

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        if context == ENGINE:
            return self.sentences.say(source)
        if context.startswith("Q") and (words := self._qt.translate(context, source, disambiguation, n)):
            return words  # before ours: "Open" on a button of Qt is not our column of open orders
        return self._texts.get(f"{source}|{disambiguation}") or self._texts.get(source)

    def isEmpty(self) -> bool:
        return not self._texts


def _qt_folder() -> str:
    return QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)


_KEPT = re.compile(r"[{|]|^[^a-z]*$")
"""What is no word for a slot: it has slots or a meaning of its own, or may be a symbol."""


def load_catalogue(language: str) -> dict[str, str]:
    """Read a catalogue; English has none. Raises ``ValueError`` for a language that is not there."""
    if language == "en":
        return {}
    if language not in LANGUAGES:
        raise ValueError(f"no language {language!r}; there are {', '.join(LANGUAGES)}")
    return _read(f"{language}.json")


def load_sentences(language: str) -> dict[str, str]:
    """Read the sentences of the engine; English has none."""
    return {} if language == "en" else _read(f"{language}.engine.json")


def _read(name: str) -> dict[str, str]:
    return json.loads(resources.files("resources").joinpath("i18n", name).read_text(encoding="utf-8"))


class Language(QObject):
    """The language now; changing it sends ``LanguageChange`` to every widget."""

    def __init__(self, app: QCoreApplication) -> None:
        super().__init__(app)
        self._app = app
        self._catalogue: Catalogue | None = None
        self.name = "en"

    def use(self, name: str) -> None:
        """Switch. Raises ``ValueError`` for an unknown language and leaves the old one in place."""
        catalogue = Catalogue(name, self) if name != "en" else None
        if name not in LANGUAGES:
            raise ValueError(f"no language {name!r}; there are {', '.join(LANGUAGES)}")
        if self._catalogue is not None:
            self._app.removeTranslator(self._catalogue)
        if catalogue is not None:
            self._app.installTranslator(catalogue)
        self._catalogue = catalogue
        self.name = name
        say_again()
