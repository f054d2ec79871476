"""*Why*: what each source added, the rows it saw, the record behind the number, and what would void it."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from engine.api.rows import SuggestionRow
from widgets import formats
from widgets.cells import NEW_YORK, direction_role, side_text, zone_label
from widgets.empty_state import EmptyState
from widgets.news_list import one_line
from widgets.objections import wrap
from widgets.paint import TEXTS, draw_mark
from widgets.pane_head import PaneHead
from widgets.suggestion_standing import OPEN_STATES, chance_text, in_points, record_text
from widgets.theme import current_theme
from widgets.waterfall import place, span, steps
from widgets.words import keep_said, told, tr

_ROW = 18
_LINE = 20
_MORE = 16
"""Height of a further line of the same row."""
NARROW_PX = 360
"""Below it the evidence has no column for its source."""


class _Picture(QWidget):
    """The painted body."""

    evidence_chosen = Signal(str)

    def __init__(self, zone: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self._row: SuggestionRow | None = None
        self._since = ""
        self._places: list[tuple[QRectF, str, str]] = []
        self._at = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_row(self, row: SuggestionRow | None, since: str) -> None:
        if self._row is None or row is None or self._row.key != row.key:
            self._at = -1
        self._row, self._since = row, since
        self.setFixedHeight(self.sizeHint().height())
        if row is not None:
            chance, interval = chance_text(row)
            said = [f"{name} {value:+.2f}" for name, value, _, _ in row.sources]
            self.setAccessibleName(
                ". ".join([tr("Why"), f"p {chance} {interval}" if chance else tr("p not known"), *said])
            )
        self.update()

    def sizeHint(self) -> QSize:
        theme = current_theme()
        row = self._row
        if row is None:
            return QSize(theme.px(300), theme.px(100))
        height = _LINE + _ROW * len(row.sources) + _LINE + 4
        lines = sum(len(self._lines(one_line(told(item.text)))) for item in row.evidence)
        height += _LINE * (1 + max(1, len(row.evidence))) + 22 * len(self._footers(row))
        height += _MORE * max(0, lines - len(row.evidence))
        return QSize(theme.px(300), theme.px(height + 4))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._fit()

    def _fit(self) -> None:
        wanted = self.sizeHint().height()
        if wanted != self.height():
            self.setFixedHeight(wanted)

    def _text_x(self) -> int:
        """Where evidence begins; in a narrow pane it takes the column of its source, which stands above it."""
        theme = current_theme()
        return theme.px(12 + 30 + 58 + 16 + (0 if self.width() < theme.px(NARROW_PX) else 88))

    def _lines(self, text: str) -> list[str]:
        """Break evidence into lines: the numbers a person judges by stand at its end."""
        return wrap(text, max(self.width() - current_theme().px(12) - self._text_x(), current_theme().px(80)))

    def _footers(self, row: SuggestionRow) -> list[tuple[str, str]]:
        made = formats.clock(row.made_ns, self._zone, zone_label(self._zone))
        lines = [(tr("Record"), record_text(row)), (tr("Made"), f"{made} · {row.strategy}")]
        if row.invalidation:
            lines.append((tr("Void if"), one_line(told(row.invalidation))))
        if self._since:
            lines.insert(0, (tr("Since the last one"), self._since))
        return lines

    # --- painting ----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        self._places = []
        if self._row is not None:
            y = self._paint_sources(painter, self._row)
            y = self._paint_evidence(painter, self._row, y)
            self._paint_footers(painter, self._row, y)
        painter.end()

    def _columns(self) -> tuple[float, float, float, float, float]:
        """Return the x of bars, their width, the right edges of value and weight, and the x of the state."""
        theme = current_theme()
        left = theme.px(12) + max(
            (TEXTS.width(theme, self._name(name)) for name, *_ in (self._row.sources if self._row else ())), default=0.0
        )
        left = max(left, TEXTS.width(theme, tr("Source"), 11)) + theme.px(12)
        # The words of the state give way first, then the name: figures and the bar are never written over.
        figures = theme.px(40 + 48 + 46 + 12)
        words = min(theme.px(104), max(theme.px(40), self.width() - theme.px(12) - left - figures))
        state = self.width() - theme.px(12) - words
        left = min(left, state - figures)
        weight = state - theme.px(12)
        value = weight - theme.px(46)
        return left, max(theme.px(40), value - theme.px(48) - left), value, weight, state

    @staticmethod
    def _name(name: str) -> str:
        return one_line(name)[:24]

    def _paint_sources(self, painter: QPainter, row: SuggestionRow) -> int:
        if not row.sources:
            return 0  # a program's idea: nobody scored it
        theme = current_theme()
        bars, width, value_x, weight_x, state_x = self._columns()
        middle = theme.px(_LINE) / 2
        points = in_points(row)
        quiet = theme.color("t3")
        unit = tr("from .50, points of probability") if points else tr("score, −1 to +1")
        TEXTS.draw(painter, theme, theme.px(12), middle, tr("Source"), quiet, pixels=11)
        TEXTS.draw(painter, theme, bars, middle, TEXTS.elided(theme, unit, width, 11), quiet, pixels=11)
        TEXTS.draw(painter, theme, weight_x, middle, tr("weight"), quiet, pixels=11, align="right")
        state = TEXTS.elided(theme, tr("state"), self.width() - theme.px(6) - state_x, 11)
        TEXTS.draw(painter, theme, state_x, middle, state, quiet, pixels=11)
        # Scores do not add up, so each bar starts at zero; points of probability do.
        pairs = steps(row.sources) if points else [(0.0, value) for _, value, _, _ in row.sources]
        interval_ends = [(end - 0.5) * 100 for end in (row.probability_low, row.probability_high) if end is not None]
        scale = span([*pairs, (0.0, 0.0), *((end, end) for end in interval_ends)]) if points else (-1.08, 1.08)
        y = theme.px(_LINE)
        zero = place(0.0, scale, bars, width)
        painter.fillRect(QRectF(zero, y, 1, theme.px(_ROW) * len(pairs)), theme.color("hair"))
        for (name, value, weight, state), (start, end) in zip(row.sources, pairs, strict=True):
            middle = y + theme.px(_ROW) / 2
            shown = TEXTS.elided(theme, self._name(name), bars - theme.px(20))
            TEXTS.draw(painter, theme, theme.px(12), middle, shown, theme.color("t1"))
            a, b = sorted((place(start, scale, bars, width), place(end, scale, bars, width)))
            role = "up" if value > 0 else "down"
            if value:
                painter.fillRect(QRectF(a, y + theme.px(5), max(2.0, b - a), theme.px(8)), theme.color(role))
            shown = formats.signed(value, 1 if points else 2)
            TEXTS.draw(painter, theme, value_x, middle, shown, theme.color(direction_role(value)), align="right")
            share = formats.MISSING if not weight else f"{weight:.2f}".removeprefix("0")
            TEXTS.draw(painter, theme, weight_x, middle, share, theme.color("t2"), align="right")
            room = self.width() - theme.px(12) - state_x
            words = TEXTS.elided(theme, one_line(told(state)), room, 11)
            TEXTS.draw(painter, theme, state_x, middle, words, theme.color("t2"), pixels=11)
            y += theme.px(_ROW)
        painter.fillRect(0, y, self.width(), 1, theme.color("hair"))
        middle = y + theme.px(_LINE) / 2
        chance, interval = chance_text(row)
        TEXTS.draw(painter, theme, theme.px(12), middle, tr("Probability"), theme.color("t1"), weight=600)
        TEXTS.draw(
            painter,
            theme,
            value_x,
            middle,
            chance or tr("not known"),
            theme.color("t1" if chance else "t2"),
            weight=600,
            align="right",
        )
        if interval and row.probability is not None:
            low, high = interval_ends
            wide = scale if points else (min(interval_ends) - 1, max(interval_ends) + 1)
            a, b = place(low, wide, bars, width), place(high, wide, bars, width)
            painter.fillRect(QRectF(a, middle - 1, b - a, 2), theme.color("t3"))
            tick = place((row.probability - 0.5) * 100, wide, bars, width)
            painter.fillRect(QRectF(tick - 2, middle - theme.px(6), 4, theme.px(12)), theme.color("t1"))
            words = TEXTS.elided(
                theme,
                tr("80 % interval {range}", range=interval.strip("[]")),
                self.width() - theme.px(12) - state_x + theme.px(30),
                11,
            )
            TEXTS.draw(
                painter, theme, self.width() - theme.px(12), middle, words, theme.color("t2"), pixels=11, align="right"
            )
        y += theme.px(_LINE) + theme.px(2)
        painter.fillRect(0, y, self.width(), 1, theme.color("hair"))
        return y + theme.px(2)

    def _paint_evidence(self, painter: QPainter, row: SuggestionRow, y: int) -> int:
        theme = current_theme()
        id_x = theme.px(12)
        time_x = id_x + theme.px(30)
        mark_x = time_x + theme.px(58)
        source_x = mark_x + theme.px(16)
        text_x = self._text_x()
        middle = y + theme.px(_LINE) / 2
        sources = [(source_x, tr("Source"))] if text_x > source_x else []
        for x, word in ((time_x, zone_label(self._zone)), *sources, (text_x, tr("Evidence"))):
            TEXTS.draw(painter, theme, x, middle, word, theme.color("t3"), pixels=11)
        y += theme.px(_LINE)
        if not row.evidence:
            words = tr("The sources gave no rows with this suggestion.")
            TEXTS.draw(painter, theme, id_x, y + theme.px(_LINE) / 2, words, theme.color("t3"))
            return y + theme.px(_LINE)
        for number, item in enumerate(row.evidence):
            middle = y + theme.px(_LINE) / 2
            text, source = one_line(told(item.text)), one_line(item.source)
            lines = self._lines(text)
            place_ = QRectF(0, y, self.width(), theme.px(_LINE) + theme.px(_MORE) * (len(lines) - 1))
            self._places.append((place_, item.id, f"{source}: {text}"))
            if number == self._at:
                painter.fillRect(place_, theme.blend("focus", theme.selection_alpha))
                if self.hasFocus():
                    painter.fillRect(QRectF(0, y, 2, place_.height()), theme.color("focus"))
            TEXTS.draw(painter, theme, id_x, middle, item.id[:6], theme.color("focus"))
            time = (
                f"{formats.local_time(item.available_at, self._zone):%H:%M:%S}"
                if item.available_at
                else formats.MISSING
            )
            TEXTS.draw(painter, theme, time_x, middle, time, theme.color("t2"))
            if item.direction:
                draw_mark(painter, theme, mark_x, middle, "up" if item.direction > 0 else "down")
            if sources:
                shown = TEXTS.elided(theme, source, text_x - source_x - theme.px(6))
                TEXTS.draw(painter, theme, source_x, middle, shown, theme.color("t2"))
            for more, line in enumerate(lines):
                TEXTS.draw(painter, theme, text_x, middle + more * theme.px(_MORE), line, theme.color("t1"))
            y += theme.px(_LINE) + theme.px(_MORE) * (len(lines) - 1)
        return y

    def _paint_footers(self, painter: QPainter, row: SuggestionRow, y: int) -> None:
        theme = current_theme()
        for label, text in self._footers(row):
            painter.fillRect(0, y, self.width(), 1, theme.color("hair"))
            middle = y + theme.px(11)
            x = theme.px(12) + TEXTS.draw(painter, theme, theme.px(12), middle, label, theme.color("t3"), pixels=11)
            room = self.width() - theme.px(12) - x - theme.px(8)
            shown = TEXTS.elided(theme, text, room, 11)
            TEXTS.draw(painter, theme, x + theme.px(8), middle, shown, theme.color("t1"), pixels=11)
            self._places.append((QRectF(0, y, self.width(), theme.px(22)), "", f"{label}: {text}"))
            y += theme.px(22)

    # --- choosing ----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for number, (rect, key, _) in enumerate(self._places):
            if key and rect.contains(event.position()):
                self._choose(number)

    def _choose(self, number: int) -> None:
        row = self._row
        if row is not None and 0 <= number < len(row.evidence):
            self._at = number
            self.update()
            self.evidence_chosen.emit(row.evidence[number].id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        if step is None or self._row is None or not self._row.evidence:
            super().keyPressEvent(event)
            return
        self._choose(max(0, min(len(self._row.evidence) - 1, self._at + step)))

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == event.Type.ToolTip:
            words = next((text for rect, _, text in self._places if rect.contains(event.pos())), "")
            if words:
                from html import escape

                QToolTip.showText(event.globalPos(), f"<qt>{escape(words)}</qt>", self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)  # type: ignore[arg-type]


class EvidencePanel(QWidget):
    """Shows one suggestion; ``show_suggestion(None)`` empties it."""

    evidence_chosen = Signal(str, str)
    """Suggestion id and evidence id (E1 …): the chart marks its pin."""

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row: SuggestionRow | None = None
        self._since = ""
        self.head = PaneHead()
        self._picture = _Picture(zone)
        self._picture.evidence_chosen.connect(self._on_chosen)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._picture)
        column.addStretch(1)
        self._area.setWidget(inside)
        self._empty = EmptyState()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        for part, stretch in ((self.head, 0), (self._empty, 1), (self._area, 1)):
            box.addWidget(part, stretch)
        self.setFocusProxy(self._picture)
        self.show_suggestion(None)
        keep_said(self, self._say)

    def _say(self) -> None:
        self._empty.set_words(
            tr("No suggestion chosen"),
            tr("Choose a suggestion, or press Space on it, to see what speaks for and against it."),
        )
        row, self._row = self._row, None
        self.show_suggestion(row, self._since)

    @property
    def suggestion(self) -> str:
        """Id of what is shown, or empty."""
        return self._row.key if self._row is not None else ""

    def show_suggestion(self, row: SuggestionRow | None, since: str = "") -> None:
        """Show a suggestion; ``since`` says in one line what changed from the one before on the same symbol."""
        if row is not None and (row, since) == (self._row, self._since):
            return
        self._row, self._since = row, since
        self._empty.setVisible(row is None)
        self._area.setVisible(row is not None)
        self.head.setVisible(row is not None)
        self._picture.show_row(row, since)
        if row is not None:
            words = [(f"{side_text(row.side)} {row.symbol}", "t1", 600), (row.key, "t3", 400)]
            if row.state not in OPEN_STATES:
                words.append((tr(row.state), "warn", 600))
            self.head.set_words(words)

    def _on_chosen(self, evidence: str) -> None:
        self.evidence_chosen.emit(self.suggestion, evidence)
