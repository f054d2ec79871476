"""The card of all keys: shown in a page, saved as HTML or PDF for the desk."""

import html
from pathlib import Path

from PySide6.QtCore import QMarginsF, Qt, Signal
from PySide6.QtGui import QPageLayout, QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout

from market_agent_gui.actions import GROUPS, ActionSpec, Risk, in_order, key_text, words
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.keys.outside import Outside, owner_text, unsure_text
from market_agent_gui.translate import say
from widgets.theme import current_theme

QUEUE_KEYS = (
    ("J / K", "next, previous suggestion"),
    ("A", "approve"),
    ("E", "edit"),
    ("C", "approve if the price is right"),
    ("Z", "snooze"),
    ("X", "reject, then a digit for the reason"),
    ("Space", "evidence"),
)
"""Keys of the suggestions pane; they act only while it has the focus."""


def card_html(keys: KeyMap, known: set[str], book: str, outside: Outside | None = None) -> str:
    """Return the card as a page of HTML. ``outside``: whose keys these are besides, told where that is known."""
    outside = outside or Outside()
    parts: list[tuple[int, str]] = []
    for group in GROUPS:
        rows = [
            f"<tr><td><b>{html.escape(key_text(keys.key(spec.id)))}</b></td><td>{html.escape(words(spec))}</td>"
            f"<td>{html.escape(_remark(spec, keys, outside))}</td></tr>"
            for spec in in_order(known)
            if spec.group == group and keys.key(spec.id)
        ]
        if rows:
            text = f"<h3>{html.escape(say(group))}</h3><table cellpadding='3'>{''.join(rows)}</table>"
            parts.append((len(rows) + 2, text))
    queue = "".join(
        f"<tr><td><b>{html.escape(key)}</b></td><td>{html.escape(say(text))}</td></tr>" for key, text in QUEUE_KEYS
    )
    title = html.escape(say("Suggestions, while that pane has the focus"))
    parts.append((len(QUEUE_KEYS) + 2, f"<h3>{title}</h3><table cellpadding='3'>{queue}</table>"))
    head = f"<h2>Market Agent · {html.escape(book.upper() or 'PAPER')}</h2>"
    columns = "".join(f"<td width='50%'>{column}</td>" for column in _in_two(parts))
    unsure = unsure_text(outside) if outside.asked else ""
    foot = f"<p>{html.escape(unsure)}</p>" if unsure else ""
    return f"{head}<table width='100%' cellspacing='0'><tr>{columns}</tr></table>{foot}"


def _remark(spec: ActionSpec, keys: KeyMap, outside: Outside) -> str:
    """Say when a key acts, and who else has it."""
    owner = outside.taken.get(keys.key(spec.id))
    return " ".join(filter(None, (say(_WHEN[spec.risk]), f"⚠ {owner_text(owner)}" if owner is not None else "")))


def _in_two(parts: list[tuple[int, str]]) -> tuple[str, str]:
    """Split (lines, text) in order into two columns as alike in length as may be."""
    whole = sum(lines for lines, _ in parts)
    cuts = [abs(whole - 2 * sum(lines for lines, _ in parts[:at])) for at in range(len(parts) + 1)]
    at = cuts.index(min(cuts))
    return "".join(text for _, text in parts[:at]), "".join(text for _, text in parts[at:])


_MARGINS = QMarginsF(15, 15, 15, 15)
_WHEN = {Risk.NONE: "", Risk.ADDS: "needs arming", Risk.REDUCES: "works disarmed", Risk.SAFETY: "always works"}


def write_pdf(path: Path, page: str) -> None:
    """Write the card as a PDF. Raises ``OSError`` when the file cannot be written."""
    with path.open("wb"):
        pass
    writer = QPdfWriter(str(path))
    writer.setPageLayout(QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, _MARGINS))
    document = QTextDocument()
    document.setHtml(page)
    document.print_(writer)


class KeyCard(QDialog):
    """All keys on one page."""

    save_wanted = Signal(str)
    """The page's HTML, to be saved where the person says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.setWindowTitle(say("Keys"))
        self.setModal(True)
        self.resize(current_theme().px(900), current_theme().px(820))
        view = QTextBrowser()
        view.setOpenLinks(False)
        view.setHtml(page)
        view.setAccessibleName(say("Keys"))
        save = QPushButton(say("Save as PDF…"))
        save.setAutoDefault(False)
        save.clicked.connect(lambda: self.save_wanted.emit(page))
        shut = QPushButton(say("Close"))
        shut.setDefault(True)
        shut.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(save)
        row.addStretch(1)
        row.addWidget(shut)
        column = QVBoxLayout(self)
        column.addWidget(view, 1)
        column.addLayout(row)
        view.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
