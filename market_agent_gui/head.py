"""What is never hidden: mode strip and banner on top, status line and toasts below."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from engine.api.rows import SourceRow
from market_agent_gui.actions import BY_ID, key_text
from market_agent_gui.bridge import LinkState
from market_agent_gui.presenters.pace import PacePresenter
from market_agent_gui.translate import say
from widgets import formats
from widgets.cells import NEW_YORK, zone_label
from widgets.toast import Toaster
from widgets.words import once_more, told

if TYPE_CHECKING:
    from market_agent_gui.shell import Shell

BEAT_MS = 100
BEATS = 10
ACTING = ("ticket", "suggestions", "depth")
KINDS = {"info": "info", "warn": "warn", "bad": "bad"}
STAGED_KEYS = ("price_up", "price_down", "next_leg", "size_risk", "send", "drop", "next_order", "rehearse")
USUAL_KEYS = ("stage_buy", "stage_sell", "palette", "key_card", "cancel_last", "arm", "rehearse")
QUEUE_KEYS = (("J K", "next, previous"), ("Space", "evidence"), ("A", "approve"), ("E", "edit"), ("C", "if…"),
              ("Z", "snooze"), ("X", "reject"))  # fmt: skip


class Head(QObject):
    """Feeds the widgets that stay, and measures how late the window itself is."""

    def __init__(self, shell: "Shell") -> None:
        super().__init__(shell)
        self._shell = shell
        lines = shell.opening.lines
        self.strip, self.banner, self.status, self.replay = lines.strip, lines.banner, lines.status, lines.replay
        self.menu_button = lines.menu_button
        self.menu_button.clicked.connect(self.open_menu)
        self.pace = PacePresenter(self.replay, shell.bridge, shell.commander, shell.keys, self)
        window = shell.window
        self.toaster = Toaster(window, keep_free=self._acting_places, top_margin=lambda: window.head_height)
        self._connect()
        self._beat = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        self._last = time.monotonic()
        self._late: list[float] = []
        self._beat.start()

    def _connect(self) -> None:
        shell = self._shell
        self.strip.halt_wanted.connect(lambda flatten: shell.halting.stop("button", flatten=flatten))
        self.strip.resume_wanted.connect(lambda: shell.commander.run("resume", "button"))
        self.strip.opening_wanted.connect(lambda: shell.commander.run("open_trading", "button"))
        self.strip.autonomy_wanted.connect(shell.modes.choose_autonomy)
        self.strip.health_wanted.connect(lambda: shell.window.show_dock("log"))
        self.banner.acknowledge.connect(shell.acknowledge)
        self.banner.show_wanted.connect(self._on_show)
        shell.bridge.rows_changed.connect(self._on_rows)
        shell.bridge.link_changed.connect(self._on_link)
        shell.bridge.silence_changed.connect(lambda _silent: self._say_away())
        shell.host.changed.connect(lambda _state: self._say_away())
        shell.outside.noted.connect(self.status.set_note)
        shell.entry.staged_changed.connect(lambda _order: self.show_keys())
        shell.keys.escaped.connect(self.toaster.clear)
        shell.app.focusChanged.connect(self._on_focus)

    def close(self) -> None:
        """Let go of the application."""
        self._beat.stop()
        self._shell.app.focusChanged.disconnect(self._on_focus)

    def _acting_places(self) -> list[QRect]:
        """Where a click in the window acts: ticket, ladder and queue as a whole, elsewhere the buttons."""
        window = self._shell.window
        whole = [dock for name in ACTING if not (dock := window.docks[name]).isFloating()]
        buttons = [button for button in window.findChildren(QAbstractButton) if button.window() is window]
        parts: list[QWidget] = [*whole, *(b for b in buttons if not any(dock.isAncestorOf(b) for dock in whole))]
        seen = [part for part in parts if part.isVisible() and not part.visibleRegion().isEmpty()]
        return [QRect(part.mapTo(window, QPoint()), part.size()) for part in seen]

    def open_menu(self) -> None:
        button = self.menu_button
        self._shell.program.menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def toast(self, severity: str, text: str) -> None:
        """Show a note at the bottom right, in the language of the moment as long as it stands."""

        def words() -> tuple[str, str]:
            said = once_more(text)
            title, colon, rest = said.partition(": ")
            if not colon or len(title) > 60:
                return {"bad": say("Look"), "warn": say("Note")}.get(severity, say("Done")), said
            return title, rest

        self.toaster.show_toast(*words(), KINDS.get(severity, "info"), words)
        state = self._shell.bridge.mirror.state()
        when = formats.clock(state.now_ns, NEW_YORK, zone_label(NEW_YORK)) if state is not None else ""
        self.banner.note(when, lambda: once_more(text))

    def retranslate(self) -> None:
        """Say everything again in another language."""
        self.menu_button.setAccessibleName(say("Menu"))
        self.show_keys()
        self._say_away()
        self._shell.outside.refresh()

    # --- what the engine says

    def _on_rows(self, table: str, rows: Iterable, removed: Iterable, reset: bool) -> None:
        if table == "state":
            self.strip.apply(rows, removed, reset)
            self.replay.apply(rows, removed, reset)
        elif table == "sources":
            self.strip.apply_sources(rows, removed, reset)
        elif table == "alarms":
            self.banner.apply(rows, removed, reset)

    def _on_link(self, _state: str, _text: str) -> None:
        self._say_away()

    def _say_away(self) -> None:
        link, host = self._shell.bridge.link, self._shell.host.state
        if link is LinkState.UP:
            silent = self._shell.bridge.silent
            self.strip.set_away(say("the engine does not answer: what is shown is old") if silent else "")
        else:
            over = say("the replay is over") if self._shell.replay_is_over else ""
            self.strip.set_away(over or told(host.text) or say("the engine does not answer"))

    def _on_show(self, code: str) -> None:
        if code == "STRATEGY":
            name = "strategies"
        else:
            name = "orders" if "UNKNOWN" in code.upper() else "differences" if code.startswith("DRIFT:") else "log"
        self._shell.window.show_dock(name)

    # --- the window's own pulse

    def _on_beat(self) -> None:
        now = time.monotonic()
        self._late.append(max(0.0, (now - self._last) * 1000 - BEAT_MS))
        self._last = now
        if len(self._late) >= BEATS:
            self._show_measures(max(self._late))
            self._late.clear()

    def _show_measures(self, window_ms: float) -> None:
        mirror = self._shell.bridge.mirror
        state = mirror.state()
        if state is None or self._shell.bridge.link is not LinkState.UP:
            self.status.set_measures(window_ms=window_ms)
            return
        brokers = [
            row for row in mirror.rows("sources").values() if isinstance(row, SourceRow) and row.kind == "broker"
        ]
        self.status.set_measures(
            window_ms=window_ms,
            engine_ms=state.engine_lag_ms,
            broker_ms=brokers[0].lag_ms if brokers else None,
            symbols=state.symbols,
            quotes_per_s=state.quotes_per_s,
            disk_gb=state.disk_free_gb,
            clients=state.clients,
            programs_trade=state.programs_trade,
        )

    # --- keys of the focused pane

    def _on_focus(self, _old: QWidget | None, _new: QWidget | None) -> None:
        self.show_keys()

    def show_keys(self) -> None:
        """Name the keys that act now in the status line."""
        self.pace.show_keys()
        keys = self._shell.keys.keys
        self.strip.halt.set_key(key_text(keys.key("stop")))
        self.banner.set_key(key_text(keys.key("acknowledge")))
        queue = self._shell.window.docks["suggestions"]
        focus = QApplication.focusWidget()
        if focus is not None and queue.isAncestorOf(focus):
            self.status.set_keys([(key, say(text)) for key, text in QUEUE_KEYS])
            return
        names = STAGED_KEYS if self._shell.entry.staged is not None else USUAL_KEYS
        known = self._shell.commander.knows
        self.status.set_keys([(key_text(keys.key(name)), say(BY_ID[name].title)) for name in names if known(name)])
