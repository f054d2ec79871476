"""The strip on top: whose money, what the agent may do, how it goes, is it healthy, how long is the market open."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QToolTip, QWidget

from engine.api.rows import SourceRow, StateRow
from engine.model.decision import Autonomy
from widgets import dates, formats
from widgets.cells import NEW_YORK, direction_mark, direction_role, short_account, zone_label
from widgets.halt_button import HaltButton
from widgets.key_button import KeyButton
from widgets.paint import TEXTS, draw_mark, hatch, paper_hatch
from widgets.theme import Theme, current_theme, dress, mix
from widgets.words import told, tr

AUTONOMY_WORDS = {
    Autonomy.OBSERVE.value: "Observe",
    Autonomy.SUGGEST.value: "Suggest",
    Autonomy.ASK.value: "Ask",
    Autonomy.ASK_ABOVE_LIMITS.value: "Ask above limits",
    Autonomy.AUTO.value: "Auto",
}
AUTONOMY_ABOUT = {
    Autonomy.OBSERVE.value: "collects and scores; shows nothing to approve",
    Autonomy.SUGGEST.value: "shows suggestions; you trade by hand",
    Autonomy.ASK.value: "asks you about every order",
    Autonomy.ASK_ABOVE_LIMITS.value: "trades small by itself; asks above its limits",
    Autonomy.AUTO.value: "trades inside its mandate; you may stop it",
}
_MODE_WORDS = {"HALTED": "stopped", "REDUCE_ONLY": "reducing only", "OBSERVE": "observing only"}
_MARKS = {"up": "ok", "degraded": "warn", "down": "bad", "off": "off"}
_KINDS = {"data": "Data", "broker": "Broker", "llm": "LLM"}
_LINK = {"up": "up", "degraded": "degraded"}
_BAD_FIRST = ("down", "degraded", "up", "off")
HATCH_PX = 4
STRIP_PX = 40


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of text in a section."""

    text: str
    role: str = "t1"
    pixels: int = 12
    weight: int = 400
    mark: str = ""
    gap: int = 8


class ModeStrip(QWidget):
    """Never hidden. ``apply`` takes rows of the table ``state``, ``apply_sources`` those of ``sources``."""

    halt_wanted = Signal(bool)
    """STOP was pressed; True: also flatten."""
    resume_wanted = Signal()
    opening_wanted = Signal()
    """Only closing is allowed, and the person wants to open positions again."""
    autonomy_wanted = Signal(str)
    """The level the person chose; the engine may want a reason and a PIN."""
    health_wanted = Signal()

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self._state: StateRow | None = None
        self._sources: dict[str, SourceRow] = {}
        self._away = ""
        self._level = 0
        self._health_rect = QRect()
        self.halt = HaltButton(parent=self)
        self.halt.halt_wanted.connect(lambda: self.halt_wanted.emit(False))
        self.halt.flatten_wanted.connect(lambda: self.halt_wanted.emit(True))
        self.resume = KeyButton(tr("Resume…"), "", "warn", self)
        self.resume.clicked.connect(self._on_up)
        self.resume.hide()
        self.autonomy = QToolButton(self)
        self.autonomy.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.autonomy.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.autonomy.setMenu(QMenu(self.autonomy))
        self._actions: dict[str, QAction] = {}
        for level in AUTONOMY_WORDS:
            action = self.autonomy.menu().addAction("")
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, level=level: self._on_autonomy(level))
            self._actions[level] = action
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._refresh()

    # --- data --------------------------------------------------------------------------------------------------

    def apply(self, rows: Iterable[StateRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take the one row of the table ``state``."""
        for row in rows:
            self._state = row
            self._away = ""
        self._refresh()

    def apply_sources(self, rows: Iterable[SourceRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take changed rows of the table ``sources``."""
        if reset:
            self._sources = {}
        for key in removed:
            self._sources.pop(key, None)
        for row in rows:
            self._sources[row.key] = row
        self._refresh()

    def set_away(self, why: str) -> None:
        """Say that the engine does not answer; what is shown is old until the next row."""
        self._away = why
        self._refresh()

    @property
    def book(self) -> str:
        """paper, live, replay, or empty while nothing is known."""
        return self._state.book.lower() if self._state is not None else ""

    def _on_up(self) -> None:
        halted = self._state is not None and self._state.halted
        (self.resume_wanted if halted else self.opening_wanted).emit()

    def _on_autonomy(self, level: str) -> None:
        self._refresh_menu()  # a tick shows what is, not what was asked
        if self._state is not None and (level != self._state.autonomy or self._state.stands_down):
            self.autonomy_wanted.emit(level)

    # --- words -------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        state = self._state
        halted = state is not None and state.halted
        does = ""
        if self._away or state is None:
            does = tr("engine away: writes the halt flag")
        elif state is not None and state.link != "up" and not halted:
            does = tr("broker away: acts on reconnect")
        self.halt.set_state(halted, does)
        reducing = state is not None and state.mode == "REDUCE_ONLY"
        self.resume.say(tr("Resume…") if halted else tr("Open trading…"))
        self.resume.setVisible((halted or reducing) and not self._away)
        self._refresh_menu()
        self._arrange()
        self._speak()
        self.update()

    def _refresh_menu(self) -> None:
        level = self._state.autonomy if self._state is not None else ""
        for name, action in self._actions.items():
            action.setText(f"{tr(AUTONOMY_WORDS[name])}: {tr(AUTONOMY_ABOUT[name])}")
            action.setChecked(name == level)
        words = tr(AUTONOMY_WORDS[level]) if level in AUTONOMY_WORDS else formats.MISSING
        self.autonomy.setText(f"{words} ▾")
        self.autonomy.setAccessibleName(tr("Autonomy: {level}", level=words))
        self.autonomy.setEnabled(self._state is not None and not self._away)

    def _speak(self) -> None:
        state = self._state
        if state is None:
            self.setAccessibleName(tr("Engine not connected"))
            return
        said = [tr("Engine not connected")] if self._away else []
        said += [self._mode_word(), state.account, tr("equity {n}", n=formats.number(state.equity))]
        said += [tr("day {n}", n=formats.signed(state.day_pnl)), *(piece.text for piece in self._clock_pieces())]
        self.setAccessibleName(", ".join(said))

    def _mode_word(self) -> str:
        return self.book.upper() or tr("NO ENGINE")

    def _health(self) -> list[tuple[str, str, str]]:
        """Return (kind, state, words) of every kind, the worst of its sources first."""
        kinds: dict[str, list[SourceRow]] = {"data": [], "broker": []}
        for row in self._sources.values():
            # What is neither broker nor model is a source of data, whatever it brings: prices, news, filings.
            kinds.setdefault(row.kind if row.kind in ("broker", "llm") else "data", []).append(row)
        state = self._state
        found = []
        for kind, rows in kinds.items():
            worst = min(rows, key=lambda row: _rank(row.state), default=None)
            level = worst.state if worst is not None else "off"
            if kind == "broker" and state is not None:
                link = _LINK.get(state.link, "down")
                level = link if worst is None else min(level, link, key=_rank)
            words = tr(_KINDS.get(kind, kind.capitalize()))
            if level in ("down", "degraded") and worst is not None and worst.text:
                words += f" {told(worst.text)}"
            found.append((kind, level, words))
        if state is not None and state.llm_budget is not None:
            spent = f"{state.llm_spent or 0.0:.2f}/{state.llm_budget:.2f}{formats.THIN}$"
            over = (state.llm_spent or 0.0) >= state.llm_budget
            known = next((level for kind, level, _ in found if kind == "llm"), "up")
            found = [item for item in found if item[0] != "llm"]
            found.append(("llm", "degraded" if over else known, f"LLM {spent}"))
        # Nobody knows while the engine is away: a green dot would be a promise.
        return [(kind, "off", words) for kind, _, words in found] if self._away else found

    def _clock_pieces(self) -> list[_Piece]:
        state = self._state
        if state is None or not state.now_ns:
            return []
        label = zone_label(self._zone)
        pieces = [_Piece(formats.clock(state.now_ns, self._zone, label), pixels=13, weight=600)]
        if state.paused:
            pieces.append(_Piece(tr("paused"), "replay", weight=600))
        elif state.simulated_time:
            speed = tr("at full speed") if state.speed is None else f"×{state.speed:g}"
            pieces.append(_Piece(f"{dates.long_day(state.now_ns, self._zone)} {speed}", "replay", 11))
        session = tr(state.session)
        if state.session == "open" and state.session_close_ns > state.now_ns:
            left = _hours((state.session_close_ns - state.now_ns) / 1e9)
            pieces += [_Piece(tr("open · closes in"), "t3", 11), _Piece(left, weight=600)]
        elif state.next_open_ns > state.now_ns:
            left = _hours((state.next_open_ns - state.now_ns) / 1e9)
            pieces += [_Piece(tr("{session} · opens in", session=session), "t3", 11), _Piece(left, weight=600)]
        else:
            pieces.append(_Piece(session, "t3", 11))
        return pieces

    def _badge(self) -> tuple[str, str]:
        state = self._state
        if state is None:
            return "", ""
        money = {"live": tr("REAL money"), "paper": tr("simulated money"), "replay": tr("recorded market")}
        return short_account(state.account), money.get(self.book, "")

    # --- geometry ----------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(current_theme().px(900), current_theme().px(STRIP_PX + HATCH_PX))

    def _arrange(self) -> None:
        theme = current_theme()
        self.setFixedHeight(theme.px(STRIP_PX + HATCH_PX))
        dress(
            self.autonomy,
            "QToolButton { background: transparent; border: none; font-weight: 600; padding: 0 2px; }"
            f"QToolButton:focus {{ border-bottom: 2px solid {theme.focus}; }}"
            "QToolButton::menu-indicator { image: none; width: 0; }",
        )
        for level in range(6):
            self._level = level
            self.halt.set_compact(level >= 1)
            if self._needed() <= self.width():
                break
        size = self.halt.sizeHint()
        top = theme.px(HATCH_PX) + (theme.px(STRIP_PX) - size.height()) // 2
        self.halt.setGeometry(self.width() - size.width() - theme.px(6), top, size.width(), size.height())
        if not self.resume.isHidden():
            hint = self.resume.sizeHint()
            left = self.halt.x() - hint.width() - theme.px(8)
            middle = theme.px(HATCH_PX) + theme.px(STRIP_PX) // 2
            self.resume.setGeometry(left, middle - hint.height() // 2, hint.width(), hint.height())

    def _sections(self) -> list[tuple[str, list[_Piece]]]:
        state = self._state
        made: list[tuple[str, list[_Piece]]] = []
        level = self._level
        auto = [] if level >= 3 else [_Piece(tr("Autonomy"), "t3", 11)]
        made.append(("autonomy", auto))
        if state is None:
            return made
        if state.mode in _MODE_WORDS:
            made.append(("mode", [_Piece(tr(_MODE_WORDS[state.mode]), "warn", weight=600, mark="warn")]))
        elif state.stands_down:
            made.append(("mode", [_Piece(tr("off: asks you"), "warn", weight=600, mark="warn")]))
        currency = f" {state.currency}" if level == 0 else ""
        made.append(
            (
                "equity",
                [
                    _Piece(tr("Equity") + currency, "t3", 11),
                    _Piece(formats.number(state.equity), pixels=14, weight=600),
                ],
            )
        )
        role = direction_role(state.day_pnl)
        day = [_Piece(tr("Day"), "t3", 11)]
        day.append(_Piece(formats.signed(state.day_pnl), role, 14, 600, mark=direction_mark(state.day_pnl)))
        if state.day_pnl_percent is not None and level < 4:
            day.append(_Piece(formats.percent(state.day_pnl_percent), role))
        made.append(("day", day))
        used = formats.MISSING if state.risk_used is None else f"{state.risk_used:.0%}".replace("%", f"{formats.THIN}%")
        risk_role = (
            "t1" if state.risk_used is None or state.risk_used < 0.8 else "danger" if state.risk_used >= 1 else "warn"
        )
        risk = [_Piece(tr("Risk used") if level == 0 else tr("Risk"), "t3", 11)]
        if level < 2:
            risk.append(_Piece("", mark="meter"))
        risk.append(_Piece(used, risk_role, weight=600))
        if state.unknown:
            risk.append(_Piece(tr("incl. unconfirmed"), "warn", 11) if level < 2 else _Piece("?", "warn", weight=600))
        if level >= 5:  # the labels go before any number does; all are spoken and in the tool tips
            made = [
                (name, [piece for piece in pieces if piece.pixels != 11 or piece.role != "t3"]) for name, pieces in made
            ]
            risk[0] = _Piece(tr("Risk"), "t3", 11, gap=4)
        made.append(("risk", risk))
        health = []
        for kind, known, words in self._health():
            if level >= 3 and known == "up":
                words = words.split()[0]
            if level >= 4 and kind not in ("data", "broker") and known == "up":
                continue
            role = "t1" if known in ("up", "off") else "warn" if known == "degraded" else "danger"
            health.append(
                _Piece(words, role, weight=400 if known in ("up", "off") else 600, mark=_MARKS.get(known, "warn"))
            )
        made.append(("health", health))
        if self._away:  # old figures do not look like fresh ones
            made = [(name, [replace(piece, role="t3") for piece in pieces]) for name, pieces in made]
        return made

    def _piece_width(self, theme: Theme, piece: _Piece) -> float:
        if piece.mark == "meter":
            return theme.px(98)
        mark = theme.px(12) if piece.mark else 0
        return TEXTS.width(theme, piece.text, piece.pixels, piece.weight) + mark

    def _pad(self) -> int:
        return current_theme().px(14 if self._level < 2 else 9 if self._level < 5 else 5)

    def _section_width(self, theme: Theme, name: str, pieces: list[_Piece]) -> float:
        width = sum(self._piece_width(theme, piece) + theme.px(piece.gap) for piece in pieces) - theme.px(8)
        if name == "autonomy":
            width = max(0.0, width) + (theme.px(8) if pieces else 0) + self.autonomy.sizeHint().width()
        return max(0.0, width) + 2 * self._pad()

    def _badge_width(self, theme: Theme) -> float:
        account, money = self._badge()
        width = TEXTS.width(theme, self._mode_word(), 18, 700) + theme.px(36)
        second = [TEXTS.width(theme, account, 11, 500)]
        if self._level < 2:
            second.append(TEXTS.width(theme, money, 11, 500))
        return width + max(second) + (theme.px(10) if max(second) else 0)

    def _needed(self) -> float:
        theme = current_theme()
        total = self._badge_width(theme) + self.halt.sizeHint().width() + theme.px(12)
        total += sum(self._section_width(theme, name, pieces) for name, pieces in self._sections())
        total += sum(self._piece_width(theme, piece) + theme.px(6) for piece in self._clock()) + theme.px(16)
        if not self.resume.isHidden():
            total += self.resume.sizeHint().width() + theme.px(16)
        return total

    def _clock(self) -> list[_Piece]:
        pieces = self._clock_pieces()
        return pieces[:1] if self._level >= 4 else pieces

    # --- paint -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        top, height = theme.px(HATCH_PX), theme.px(STRIP_PX)
        self._paint_edge(painter, theme, QRect(0, 0, self.width(), top))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("hair"))
        middle = top + height / 2
        x = self._paint_badge(painter, theme, QRect(0, top, round(self._badge_width(theme)), height - 1))
        pad = self._pad()
        for name, pieces in self._sections():
            width = self._section_width(theme, name, pieces)
            at = x + pad
            for piece in pieces:
                at += self._paint_piece(painter, theme, at, middle, piece) + theme.px(piece.gap)
            if name == "autonomy":
                hint = self.autonomy.sizeHint()
                place = QRect(round(at), round(middle - hint.height() / 2), hint.width(), hint.height())
                if self.autonomy.geometry() != place:
                    self.autonomy.setGeometry(place)
            elif name == "health":
                self._health_rect = QRect(round(x), top, round(width), height)
            x += width
            painter.fillRect(round(x), top, 1, height - 1, theme.color("hair"))
        self._paint_clock(painter, theme, middle)
        if self._away:
            painter.fillRect(0, self.height() - 2, self.width(), 2, theme.color("danger"))
        painter.end()

    def _paint_clock(self, painter: QPainter, theme: Theme, middle: float) -> None:
        pieces = [_Piece(self._away, "danger", weight=600, mark="bad")] if self._away else self._clock()
        right = float((self.resume if not self.resume.isHidden() else self.halt).x() - theme.px(10))
        for piece in reversed(pieces):
            width = self._piece_width(theme, piece)
            self._paint_piece(painter, theme, right - width, middle, piece)
            right -= width + theme.px(6)

    def _paint_edge(self, painter: QPainter, theme: Theme, rect: QRect) -> None:
        if self.book == "paper":
            hatch(painter, rect, theme.color("paper"), theme.color("bg2"), theme.px(6))
        elif self.book == "live":
            painter.fillRect(rect, theme.color("live"))
        elif self.book == "replay":
            painter.fillRect(rect, theme.color("replay"))
            painter.fillRect(QRect(0, rect.height() // 2 - 1, rect.width(), 1), theme.color("bg1"))
        else:
            painter.fillRect(rect, theme.color("hair"))

    def _paint_badge(self, painter: QPainter, theme: Theme, rect: QRect) -> float:
        ink = theme.color("t1")
        if self.book == "paper":
            paper_hatch(painter, rect, theme, 0.34, 0.20)
            painter.fillRect(rect.left(), rect.top(), 4, rect.height(), theme.color("paper"))
        elif self.book == "live":
            painter.fillRect(rect, theme.color("live"))
            ink = theme.color("on_live")
        elif self.book == "replay":
            ground = theme.color("bg1")
            hatch(painter, rect, mix(theme.color("replay"), ground, 0.34), mix(theme.color("replay"), ground, 0.20), 3)
            painter.fillRect(rect.left(), rect.top(), 4, rect.height(), theme.color("replay"))
        else:
            painter.fillRect(rect, theme.color("bg2"))
        middle, x = rect.top() + rect.height() / 2, float(theme.px(18))
        x += TEXTS.draw(painter, theme, x, middle, self._mode_word(), ink, pixels=18, weight=700) + theme.px(10)
        account, money = self._badge()
        if account and money and self._level < 2:
            TEXTS.draw(painter, theme, x, middle - theme.px(7), account, ink, pixels=11, weight=500)
            TEXTS.draw(painter, theme, x, middle + theme.px(8), money, ink, pixels=11, weight=500)
        else:
            TEXTS.draw(
                painter, theme, x, middle, account or (money if self._level < 2 else ""), ink, pixels=11, weight=500
            )
        return float(rect.right() + 1)

    def _paint_piece(self, painter: QPainter, theme: Theme, x: float, middle: float, piece: _Piece) -> float:
        if piece.mark == "meter":
            self._paint_meter(painter, theme, x, middle)
            return theme.px(98)
        start = x
        if piece.mark:
            draw_mark(painter, theme, x, middle, piece.mark)
            x += theme.px(12)
        x += TEXTS.draw(
            painter, theme, x, middle, piece.text, theme.color(piece.role), pixels=piece.pixels, weight=piece.weight
        )
        return x - start

    def _paint_meter(self, painter: QPainter, theme: Theme, x: float, middle: float) -> None:
        used = self._state.risk_used if self._state is not None else None
        role = "t2" if used is None or used < 0.8 else "danger" if used >= 1 else "warn"
        for cell in range(10):
            box = QRectF(x + cell * theme.px(10) + 0.5, middle - theme.px(6) + 0.5, theme.px(8) - 1, theme.px(12) - 1)
            painter.setPen(theme.color("t3"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box)
            part = min(1.0, max(0.0, (used or 0.0) * 10 - cell))
            if part > 0.05:
                painter.fillRect(QRectF(box.left(), box.top(), box.width() * part, box.height()), theme.color(role))

    # --- events ------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.LanguageChange) and hasattr(self, "_actions"):
            self._refresh()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._health_rect.contains(event.position().toPoint()):
            self.health_wanted.emit()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            if self._health_rect.contains(event.pos()) and self._state is not None:
                QToolTip.showText(event.globalPos(), self.health_text(), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def health_text(self) -> str:
        """Return every source with its state, lag and rate, one a line."""
        lines = []
        if self._state is not None and not any(row.kind == "broker" for row in self._sources.values()):
            level = _LINK.get(self._state.link, "down")
            lines.append(f"{tr('broker')} {short_account(self._state.account)}: {tr(level)}")
        for row in sorted(self._sources.values(), key=lambda row: (_rank(row.state), row.kind, row.key)):
            lag = f" · {row.lag_ms:.0f} ms" if row.lag_ms is not None else ""
            rate = f" · {formats.compact(row.rate)}/s" if row.rate else ""
            text = f" · {told(row.text)}" if row.text else ""
            lines.append(f"{told(row.kind)} {row.key}: {tr(row.state)}{lag}{rate}{text}")
        return "\n".join(lines)


def _hours(seconds: float) -> str:
    """Return h:mm:ss, so that minutes left are never read as a time of day."""
    text = formats.duration(seconds)
    return f"0:{text.zfill(5)}" if text.count(":") == 1 else text


def _rank(state: str) -> int:
    return _BAD_FIRST.index(state) if state in _BAD_FIRST else 0
