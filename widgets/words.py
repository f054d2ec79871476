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
    if not text:
        return text
    said = QCoreApplication.translate("engine", text)
    return remember(said, lambda: told(text)) if said != text else said


_SAID: dict[str, Callable[[], str]] = {}
_MOST = 2000
"""Texts remembered: many more than are said while a note stands on the screen."""
_JOINTS = (": ", " · ")


def remember(said: str, again: Callable[[], str]) -> str:
    """Remember how a text came about, so that :func:`once_more` can say it in another language; return it."""
    _SAID.pop(said, None)
    if len(_SAID) >= _MOST:
        del _SAID[next(iter(_SAID))]
    _SAID[said] = again
    return said


def once_more(text: str) -> str:
    """Say in the language of now what was said in another; what nobody remembers, in its parts, stays as it is."""
    again = _SAID.get(text)
    if again is not None:
        return again()
    joint = next((joint for joint in _JOINTS if joint in text), "")
    said = told(text)
    if said != text or not joint:
        return said
    first, _, rest = text.partition(joint)
    return f"{once_more(first)}{joint}{once_more(rest)}"


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
