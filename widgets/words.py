"""Every word a pane shows passes here, so that a translator sees it, and is said again in another language."""

import weakref
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject
from shiboken6 import isValid


def tr(text: str, meaning: str = "", /, **values: object) -> str:
    """Translate in the context ``widgets``, then fill ``{names}``; the values are never translated or parsed.

    ``meaning`` tells words apart that are one in English, such as "limit" the order type and "limit" the price.
    """
    translated = QCoreApplication.translate("widgets", text, meaning)
    return translated.format(**values) if values else translated


def told(text: str) -> str:
    """Say a sentence that came from the engine; what is not a sentence of ours, such as a headline, stays as it is."""
    return QCoreApplication.translate("engine", text) if text else text


_OWNERS: weakref.WeakSet[QObject] = weakref.WeakSet()


def keep_said(owner: QObject, say: Callable[[], object]) -> None:
    """Call ``say`` now, and again whenever the language changes, as long as ``owner`` lives: it sets the words."""
    say()
    # The owner keeps what it says: kept here, a closure over the owner would keep that alive.
    said = owner.__dict__.setdefault("_kept_said", [])
    said.append(say)
    _OWNERS.add(owner)


def say_again() -> None:
    """Say everything again: the language has changed."""
    for owner in list(_OWNERS):
        if isValid(owner):
            for say in owner.__dict__["_kept_said"]:
                say()
