"""Words, numbers and choices of a sentence one can edit, and the sentence that breaks into lines."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QFontMetricsF, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QMenu, QSizePolicy, QToolButton, QWidget

from widgets.formats import decimals_of
from widgets.inline_edit import read_number
from widgets.theme import Theme, current_theme, dress
from widgets.words import tr

_PIXELS = 15


class Word(QLabel):
    """A word between tokens."""

    def __init__(self, text: str = "", weight: int = 400, role: str = "t1") -> None:
        super().__init__(text)
        self._weight, self._role = weight, role
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.style_now()

    def say(self, text: str, role: str | None = None) -> None:
        self._role = role or self._role
        self.setText(text)
        self.style_now()

    def style_now(self) -> None:
        """Take fonts and colours of the current theme."""
        theme = current_theme()
        dress(
            self,
            f"QLabel {{ color: {getattr(theme, self._role)}; font-size: {theme.px(_PIXELS)}px;"
            f" font-weight: {self._weight}; }}",
        )


class NumberToken(QLineEdit):
    """A number as wide as it is long; arrows step it, Shift by ten."""

    changed = Signal()

    def __init__(self, step: Callable[[], Decimal]) -> None:
        super().__init__()
        self.setMaxLength(18)
        self._step = step
        self.textEdited.connect(self._on_edited)
        self.textChanged.connect(self._fit)
        self.style_now()

    def say(self, name: str, empty: str) -> None:
        """Set the name, and what stands in it while it is empty."""
        self.setAccessibleName(name)
        self.setPlaceholderText(empty)
        self._fit()

    @property
    def value(self) -> Decimal | None:
        """The number; None where the field is empty or holds none."""
        return read_number(self.text())

    @property
    def readable(self) -> bool:
        """Empty, or a positive number."""
        return not self.text().strip() or self.value is not None

    def put(self, value: Decimal | None) -> None:
        """Show a number without saying that it changed."""
        text = "" if value is None else f"{value:f}"
        decimals, (_, point, after) = decimals_of(self._step()), text.partition(".")
        if point and len(after) < decimals:
            text += "0" * (decimals - len(after))  # 125.10, as the ladder says it: 125.1 looks cut off
        if self.value != value or self.text() != text:
            self.setText(text)

    def mark(self, problem: str) -> None:
        """Underline in red with the reason as tool tip; an empty reason clears it."""
        if self.property("invalid") != bool(problem):
            self.setProperty("invalid", bool(problem))
            self.style_now()
        self.setToolTip(problem)
        self.setAccessibleDescription(problem)

    def style_now(self) -> None:
        """Take fonts and colours of the current theme."""
        theme = current_theme()
        line = theme.danger if self.property("invalid") else theme.t3
        dress(self, field_style(theme, "QLineEdit", line))
        self._fit()

    def _fit(self) -> None:
        font = self.font()
        font.setPixelSize(current_theme().px(_PIXELS))
        font.setWeight(font.Weight.DemiBold)
        text = self.text() or self.placeholderText()
        width = QFontMetricsF(font).horizontalAdvance(text) + current_theme().px(14)
        self.setFixedSize(max(current_theme().px(28), round(width)), current_theme().px(24))
        parent = self.parentWidget()
        if isinstance(parent, Sentence):
            parent.arrange()

    def _on_edited(self, _text: str) -> None:
        self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        way = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if way is None:
            super().keyPressEvent(event)
            return
        step = self._step() * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        value = self.value
        if value is not None and value + way * step > 0:
            self.setText(f"{value + way * step:f}")
            self.changed.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.selectAll()


class TextToken(QLineEdit):
    """A short word in capitals: a symbol."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMaxLength(21)
        self.textEdited.connect(lambda _: self.changed.emit())
        self.textChanged.connect(lambda _: self.style_now())
        self.style_now()

    def say(self, name: str, empty: str) -> None:
        """Set the name, and what stands in it while it is empty."""
        self.setAccessibleName(name)
        self.setPlaceholderText(empty)
        self.style_now()

    @property
    def value(self) -> str:
        return self.text().strip().upper()

    def put(self, value: str) -> None:
        if self.value != value:
            self.setText(value)

    def mark(self, problem: str) -> None:
        self.setToolTip(problem)
        self.setAccessibleDescription(problem)

    def style_now(self) -> None:
        """Take fonts and colours of the current theme."""
        theme = current_theme()
        dress(self, field_style(theme, "QLineEdit", theme.t3))
        font = self.font()
        font.setPixelSize(theme.px(_PIXELS))
        font.setWeight(font.Weight.DemiBold)
        width = QFontMetricsF(font).horizontalAdvance((self.text() or self.placeholderText()).upper())
        self.setFixedSize(max(theme.px(36), round(width) + theme.px(14)), theme.px(24))
        parent = self.parentWidget()
        if isinstance(parent, Sentence):
            parent.arrange()


class ChoiceToken(QToolButton):
    """One of a few words; Space or a click opens the choice, the arrow keys step through it."""

    changed = Signal(str)

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], bold: bool = False) -> None:
        """``choices`` are (id, words)."""
        super().__init__()
        self._name, self._bold = name, bold
        self._choices = list(choices)
        self._current = choices[0][0]
        self._role = "t1"
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMenu(QMenu(self))
        self._fill()
        self.style_now()

    def _fill(self) -> None:
        menu = self.menu()
        menu.clear()
        for choice, words in self._choices:
            action = QAction(words, menu)
            action.triggered.connect(lambda _=False, choice=choice: self.choose(choice))
            menu.addAction(action)

    def say(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        """Set the name and the choices in another language."""
        self._name = name
        self._choices = []
        self.offer(choices)

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        """Offer other choices; what is chosen stays shown until another is."""
        if list(choices) != self._choices:
            self._choices = list(choices)
            self._fill()
            self.style_now()

    @property
    def value(self) -> str:
        return self._current

    def put(self, choice: str, role: str = "t1") -> None:
        """Show a choice without saying that it changed."""
        self._current, self._role = choice, role
        self.style_now()

    def choose(self, choice: str) -> None:
        """Choose and say so."""
        if choice != self._current:
            self._current = choice
            self.style_now()
            self.changed.emit(choice)

    def style_now(self) -> None:
        """Take fonts and colours of the current theme."""
        theme = current_theme()
        words = dict(self._choices).get(self._current, self._current)
        self.setText(f"{words} ▾")
        self.setAccessibleName(f"{self._name}: {words}")
        weight = 700 if self._bold else 400
        dress(
            self,
            f"QToolButton {{ background: {theme.bg2}; border: none; border-bottom: 1px solid {theme.t3};"
            f" border-radius: 0;"
            f" color: {getattr(theme, self._role)}; font-size: {theme.px(_PIXELS)}px;"
            f" font-weight: {weight}; padding: 0 3px; min-height: {theme.px(22)}px; }}"
            f" QToolButton:focus {{ border-bottom: 2px solid {theme.focus}; }}"
            " QToolButton::menu-indicator { image: none; width: 0; }",
        )
        font = self.font()
        font.setPixelSize(theme.px(_PIXELS))
        font.setWeight(font.Weight(weight))
        self.setFixedSize(round(QFontMetricsF(font).horizontalAdvance(self.text())) + theme.px(10), theme.px(24))
        parent = self.parentWidget()
        if isinstance(parent, Sentence):
            parent.arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        way = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if way is None:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                event.ignore()  # Enter sends; the choice opens by Space
                return
            super().keyPressEvent(event)
            return
        names = [choice for choice, _ in self._choices]
        at = names.index(self._current) + way if self._current in names else 0
        self.choose(names[max(0, min(len(names) - 1, at))])


def field_style(theme: Theme, kind: str, line: str) -> str:
    """Return the sheet of a field in a sentence, underlined in the colour ``line``."""
    focus = theme.blend("focus", theme.selection_alpha + 0.02).name()
    return (
        f"{kind} {{ background: {theme.bg2}; border: none; border-bottom: 1px solid {line}; border-radius: 0;"
        f" color: {theme.t1}; font-size: {theme.px(_PIXELS)}px; font-weight: 600; padding: 0 3px; min-height: 0; }}"
        f"{kind}:focus {{ background: {focus}; border-bottom: 2px solid {theme.focus}; }}"
    )


class Sentence(QWidget):
    """Parts in reading order, broken into lines. A part glued to the one before stays on its line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: list[tuple[QWidget, bool]] = []
        self._tail: QWidget | None = None
        self._busy = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def add(self, *parts: QWidget) -> None:
        """Add parts that stay together on a line; the tab order is the reading order."""
        for number, part in enumerate(parts):
            part.setParent(self)
            if self._parts:
                QWidget.setTabOrder(self._parts[-1][0], part)
            self._parts.append((part, number > 0))
            part.show()

    def end_with(self, part: QWidget) -> None:
        """Add a part that stays the last one, whatever is added after it."""
        part.setParent(self)
        self._tail = part
        part.show()
        self.arrange()

    def remove(self, *parts: QWidget) -> None:
        """Take parts out for good."""
        self._parts = [(part, glued) for part, glued in self._parts if part not in parts]
        for part in parts:
            part.hide()
            part.deleteLater()
        self.arrange()

    def arrange(self) -> None:
        """Place the parts; called when one of them changes its width."""
        if self._busy:
            return
        self._busy = True
        theme = current_theme()
        gap, line = theme.px(5), theme.px(28)
        x = y = 0
        for group in self._groups():
            sizes = [self._size(part) for part in group]
            width = sum(size.width() for size in sizes) + gap * (len(group) - 1)
            if x and x + width > self.width():
                x, y = 0, y + line
            for part, size in zip(group, sizes, strict=True):
                part.setGeometry(x, y + (line - size.height()) // 2, size.width(), size.height())
                x += size.width() + gap
        height = y + line
        if height != self.height():
            self.setFixedHeight(height)
        self._busy = False

    @staticmethod
    def _size(part: QWidget) -> QSize:
        return part.sizeHint() if isinstance(part, QLabel | QCheckBox) else part.maximumSize()

    def _groups(self) -> list[list[QWidget]]:
        groups: list[list[QWidget]] = []
        for part, glued in self._parts:
            if part.isHidden():
                continue
            if glued and groups:
                groups[-1].append(part)
            else:
                groups.append([part])
        return [*groups, [self._tail]] if self._tail is not None and not self._tail.isHidden() else groups

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and not self._busy:
            self._busy = True  # each part would have all of them placed anew
            for part, _ in self._parts:
                style_now = getattr(part, "style_now", None)
                if style_now is not None:
                    style_now()
            self._busy = False
            self.arrange()


def choices(words: dict[str, str]) -> list[tuple[str, str]]:
    """Return (id, words in the person's language)."""
    return [(choice, tr(text)) for choice, text in words.items()]
