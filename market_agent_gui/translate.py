"""Strings in the user's language, switchable while the window is open.

Catalogues are JSON: English source text, or ``text|meaning`` where English has one word for two things, to translation.
Qt asks :class:`Catalogue` for every ``tr()`` of every widget; tables of actions and docks are translated by
:func:`say`.
"""

import json
from importlib import resources

from PySide6.QtCore import QCoreApplication, QObject, QTranslator

from widgets.words import say_again

LANGUAGES = {"en": "English", "ru": "Русский"}
CONTEXT = "MarketAgent"


def say(text: str, meaning: str = "", /, **values: object) -> str:
    """Translate ``text`` and fill in its ``{names}``; ``meaning`` tells English homonyms apart."""
    translated = QCoreApplication.translate(CONTEXT, text, meaning)
    return translated.format(**values) if values else translated


class Catalogue(QTranslator):
    """One language. A text without a translation stays English."""

    def __init__(self, language: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._texts = load_catalogue(language)

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        return self._texts.get(f"{source}|{disambiguation}") or self._texts.get(source)

    def isEmpty(self) -> bool:
        return not self._texts


def load_catalogue(language: str) -> dict[str, str]:
    """Read a catalogue; English has none. Raises ``ValueError`` for a language that is not there."""
    if language == "en":
        return {}
    if language not in LANGUAGES:
        raise ValueError(f"no language {language!r}; there are {', '.join(LANGUAGES)}")
    text = resources.files("resources").joinpath("i18n", f"{language}.json").read_text(encoding="utf-8")
    return json.loads(text)


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
