"""What the program itself can do: palette, rehearsal, arming, keys, lock, themes, languages, the end."""

import logging
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from engine.api.commands import Reconcile, RevokeMandate, SetAutonomy, Watch
from engine.model.decision import Autonomy
from engine.model.ids import Symbol
from market_agent_gui.actions import key_text
from market_agent_gui.closing import CloseDialog
from market_agent_gui.commander import Refusal
from market_agent_gui.keys.key_map import KeyMap, KeyMapError, key_file, load_key_map, save_key_map
from market_agent_gui.lock import IdleWatch, LockPage, PinStore
from market_agent_gui.menus import MainMenu
from market_agent_gui.mode_frame import account_tail
from market_agent_gui.notifications import Bell, News, Notifications, Sound
from market_agent_gui.palette import Palette
from market_agent_gui.palette_source import PaletteSource
from market_agent_gui.presenters.pins import PinsPresenter
from market_agent_gui.presenters.rehearsal import RehearsalPresenter
from market_agent_gui.sign import draw_sign
from market_agent_gui.translate import say
from widgets.theme import apply_theme, theme_names
from widgets.words import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from market_agent_gui.palette import Entry
    from market_agent_gui.shell import Shell

log = logging.getLogger(__name__)

FOCUS = {
    "focus_suggestions": "suggestions",
    "focus_why": "why",
    "focus_depth": "depth",
    "focus_chart": "chart",
    "focus_watchlist": "watchlist",
    "focus_ticket": "ticket",
}


class Program(QObject):
    """Registers its doers with the commander and answers the shell."""

    def __init__(self, shell: "Shell") -> None:
        super().__init__(shell)
        self._shell = shell
        self._book = ""
        self._closing: CloseDialog | None = None
        self.pins = PinStore(shell.profile)
        self.pin = PinsPresenter(shell.bridge, self.pins, self)
        self.pin.dialog_wanted.connect(shell.open_dialog)
        self.pin.said.connect(shell.say)
        self.pin.changed.connect(self._on_pin)
        shell.modes.pin_wanted.connect(self.pin.ask)
        self.lock_page = LockPage(shell.window, self.pins)
        self.lock_page.stop_pressed.connect(lambda: shell.halting.stop("lock page"))
        self.idle = IdleWatch(shell.app, shell.preferences.now.lock_minutes if self.pins.exists else 0.0, self)
        self.idle.idle.connect(self._lock_quietly)
        self.menu = MainMenu(
            shell.commander,
            shell.window,
            lambda: shell.keys.keys,
            shell.workspaces.names,
            self.use_workspace,
            self.use_theme,
            self.use_language,
        )
        self.palette_source = PaletteSource(shell, self)
        self.palette = Palette(shell.window, self.palette_source.entries)
        self.rehearsal = RehearsalPresenter(shell, self)
        self.notifications = Notifications(self)
        self.notifications.news.connect(self._on_news)
        self.bell = Bell(QApplication.beep, self)
        shell.keys.letter_typed.connect(self.open_symbols)
        shell.bridge.notice.connect(self.notifications.on_notice)
        shell.alerts.news.connect(self._on_news)
        shell.bridge.rows_changed.connect(self._on_rows)
        shell.links.changed.connect(self._on_symbol)
        shell.window.pane_menu_wanted.connect(self._open_pane_menu)
        self._apply_preferences()
        self._register()

    def _register(self) -> None:
        shell = self._shell
        doers = {
            "arm": self.arm,
            "disarm": lambda: shell.arming.disarm(lambda: say("by hand")),
            "rehearse": self.rehearsal.toggle,
            "palette": lambda: self.open_palette(""),
            "symbol": lambda: self.open_symbols(""),
            "acknowledge": self._acknowledge,
            "bigger": lambda: self._scale(0.1),
            "smaller": lambda: self._scale(-0.1),
            "new_window": self._float_focused,
            "next_screen": lambda: self._to_next_screen(shell.window.focused_dock()),
            "menu": lambda: shell.head.open_menu(),
            "resume": shell.modes.resume,
            "open_trading": shell.modes.open_trading,
            "rearm": shell.modes.rearm,
            "sign_mandate": shell.modes.sign_mandate,
            "end_mandate": lambda: shell.bridge.fire(RevokeMandate()),
            "set_pin": self.pin.ask,
            "reconcile": lambda: shell.bridge.fire(Reconcile()),
            "lock": self.lock,
            "key_card": self._show_card,
            "edit_keys": self._edit_keys,
            "edit_sizes": self._edit_sizes,
            "first_run": self.first_run,
            "settings_file": self._open_settings,
            "sounds": self._toggle_sounds,
            "quit": self.ask_close,
        }
        for action, do in doers.items():
            shell.commander.register(action, do)
        for action, dock in FOCUS.items():
            shell.commander.register(action, lambda name=dock: shell.window.show_dock(name))

    # --- start and end

    def on_built(self) -> None:
        """All panes stand."""
        self._shell.window.focus_first()
        self._shell.head.show_keys()
        self._shell.outside.watch.start()
        self._shell.far_stop.refresh()
        self._look_at_sizes()
        self._shell.presets.look_at_last()
        self._shell.alerts.tell_problem()
        self._shell.confirming.look()
        if self._shell.preferences.problem:
            self._shell.say("warn", self._shell.preferences.problem)
        if self._shell.ask_first and not self._shell.preferences.now.first_run_done:
            self.first_run()

    def close(self) -> None:
        """Let go of the application."""
        self.idle.set_minutes(0)
        self.rehearsal.close()

    def ask_close(self) -> None:
        """Ask what becomes of the engine, or do what was said before."""
        shell = self._shell
        choice = shell.preferences.now.on_close
        if not shell.host.owns:
            self._close("keep", False)
        elif choice in ("stop", "keep"):
            self._close(choice, False)
        elif self._closing is None:
            mirror = shell.bridge.mirror
            self._closing = CloseDialog(len(mirror.working()), len(mirror.rows("positions")), shell.tray.available)
            self._closing.chosen.connect(self._close)
            self._closing.finished.connect(self._forget_closing)
            self.show_window()
            shell.open_dialog(self._closing)

    def _forget_closing(self) -> None:
        self._closing = None

    def _close(self, what: str, remember: bool) -> None:
        if remember:
            self.prefer(on_close=what)
        if what == "keep" and self._shell.tray.available and self._shell.host.owns:
            self._shell.window.hide()
            return
        self._shell.quit(keep_engine=what == "keep")

    def show_window(self) -> None:
        """Bring the window back."""
        window = self._shell.window
        window.setVisible(True)
        window.raise_()
        window.activateWindow()

    # --- arming, keys

    def arm(self) -> None:
        """Arm the risk-adding keys, unless something speaks against it."""
        symbol = self._shell.symbol()
        if not symbol:
            raise Refusal(say("choose a symbol first"))
        blocked = self._shell.entry.blocked(symbol)
        if not self._shell.arming.arm(blocked):
            raise Refusal(say("keys stay disarmed: {reason}", reason=told(blocked)))

    def _watch_context(self) -> None:
        state = self._shell.bridge.mirror.state()
        if state is not None:
            self._shell.arming.watch(f"{state.book} {state.mode}", state.account, self._shell.symbol())

    def _on_symbol(self, pane: str, symbol: str) -> None:
        self._watch_context()
        staged = self._shell.entry.staged
        if pane == "ticket" and staged is not None and staged.ref and staged.symbol != symbol:
            self._shell.entry.drop()  # a change of an order that is no longer shown

    def _look_at_account(self, account: str) -> None:
        before = self._shell.preferences.now.keys_account
        if account != before:
            self._shell.entry.drop()  # it was staged for somebody else's money
            self._shell.confirming.drop()
            self._shell.fresh_keys.look("account", before, account)
            self.prefer(keys_account=account)

    def _look_at_sizes(self) -> None:
        before, now = self._shell.preferences.now.keys_sizes, self._sizes_now()
        if now != before:
            self._shell.fresh_keys.look("sizes", before, now)
            self.prefer(keys_sizes=now)

    def _sizes_now(self) -> str:
        entry = self._shell.entry
        return " ".join(f"{size.normalize():f}" for size in (*entry.sizes, entry.risk_money))

    def _look_at_keys(self, book: str, keys: KeyMap) -> None:
        """Whatever changed them, a person, a file from elsewhere or one that cannot be read: hands know the old."""
        used = self._shell.preferences.now.keys_used
        if used.get(book) == keys.changes:
            return
        if book in used:
            try:
                self._shell.fresh_keys.changed(KeyMap(used[book]), keys)
            except KeyMapError as error:
                log.info("the keys used last are not known: %s", error)
                self._shell.fresh_keys.look("keys", "unknown", "")
        self.prefer(keys_used={**used, book: keys.changes})

    def _load_keys(self, book: str) -> None:
        try:
            keys = load_key_map(key_file(self._shell.profile, book))
        except KeyMapError as error:
            keys = KeyMap()
            self._shell.say("bad", say("The default keys hold: {reason}", reason=error))
        self._shell.keys.keys = keys
        self._look_at_keys(book, keys)
        self._on_keys()

    def _on_keys(self) -> None:
        self._shell.outside.on_keys()
        self._shell.far_stop.refresh()
        self._shell.head.show_keys()

    def _edit_keys(self) -> None:
        from market_agent_gui.keys.editor import KeyEditor

        # A key of a preset that is gone is shown, too: it can be taken away there.
        bound = {spec.id for spec in self._shell.keys.keys.actions if spec.named}
        known, outside = {spec.id for spec in self._shell.commander.known()} | bound, self._shell.outside
        editor = KeyEditor(self._shell.keys.keys, known, self._book, outside=outside.now, accepted=outside.accepted)
        editor.ask_wanted.connect(outside.watch.ask)
        outside.watch.changed.connect(editor.show_outside)
        editor.saved.connect(self._use_keys)
        self._shell.open_dialog(editor)
        outside.watch.ask()

    def _use_keys(self, keys: KeyMap, accepted: Iterable[str] = ()) -> None:
        self._shell.fresh_keys.changed(self._shell.keys.keys, keys)
        self._shell.keys.keys = keys
        self.prefer(keys_used={**self._shell.preferences.now.keys_used, self._book or "paper": keys.changes})
        self._shell.outside.accept(accepted)
        self._on_keys()
        self.prefer(keys_all_the_same=tuple(sorted(accepted)))
        self._shell.arming.disarm(lambda: say("the keys changed"))
        try:
            save_key_map(key_file(self._shell.profile, self._book or "paper"), keys)
        except OSError as error:
            self._shell.say("bad", say("The keys hold until the end but were not saved: {reason}", reason=error))

    def _edit_sizes(self) -> None:
        from market_agent_gui.sizes_dialog import SizesDialog

        dialog = SizesDialog(self._shell.entry.sizes, self._shell.entry.risk_money)
        dialog.chosen.connect(self._use_sizes)
        self._shell.open_dialog(dialog)

    def _use_sizes(self, sizes: tuple[Decimal, ...], risk: Decimal) -> None:
        entry = self._shell.entry
        if (sizes, risk) == (entry.sizes, entry.risk_money):
            return
        entry.use_sizes(sizes, risk)
        self._shell.fresh_keys.sizes_changed()
        self._shell.arming.disarm(lambda: say("the sizes changed"))
        texts = tuple(f"{size:f}" for size in sizes)
        self.prefer(sizes=texts, risk_money=f"{risk:f}", keys_sizes=self._sizes_now())

    def _show_card(self) -> None:
        from market_agent_gui.keys.card import KeyCard, card_html

        known = {spec.id for spec in self._shell.commander.known()}
        card = KeyCard(card_html(self._shell.keys.keys, known, self._book, self._shell.outside.now))
        card.save_wanted.connect(self._save_card)
        self._shell.open_dialog(card)

    def _save_card(self, page: str) -> None:
        from market_agent_gui.keys.card import write_pdf

        path = self._shell.profile / "keys.pdf"
        try:
            write_pdf(path, page)
        except OSError as error:
            self._shell.say("bad", say("The card was not saved: {reason}", reason=error))
        else:
            self._shell.say("info", say("The card is in {file}", file=path.name))
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    # --- palette, lock

    def open_palette(self, text: str) -> None:
        """Open the palette with a text."""
        self._open_palette(text)

    def open_symbols(self, text: str) -> None:
        """Open the entry of symbols with a text."""
        self._open_palette(text, self.palette_source.symbols)

    def _open_palette(self, text: str, symbols: "Callable[[str], list[Entry]] | None" = None) -> None:
        before = QApplication.focusWidget()
        self._shell.window.activateWindow()  # asked for in a pane that floats: it stands in the main window
        self.palette.open(text, before, symbols)

    @property
    def locked(self) -> bool:
        return self.lock_page.locked

    def lock(self) -> None:
        """Lock the window; without a PIN there is nothing to lock with."""
        if not self.pins.exists:
            raise Refusal(say("set a PIN first: “Set or change the PIN…”"))
        self._shell.arming.disarm(lambda: say("the window is locked"))
        self._shell.entry.drop()
        self._shell.confirming.drop()
        self._shell.head.toaster.clear()
        state = self._shell.bridge.mirror.state()
        whose = f"{say(state.book.upper())} · {account_tail(state.account)}" if state is not None else ""
        self.lock_page.lock(whose, key_text(self._shell.keys.keys.key("stop")))

    def _lock_quietly(self) -> None:
        if self.pins.exists and not self.locked:
            self.lock()

    # --- what the engine says

    def _on_rows(self, table: str, rows: object, _removed: object, _reset: bool) -> None:
        if table != "state":
            return
        state = self._shell.bridge.mirror.state()
        if state is None:
            return
        self._watch_context()
        self._look_at_account(f"{state.book} {state.account}")
        if state.book != self._book:
            self._book = state.book
            self._load_keys(state.book)
            QApplication.setWindowIcon(draw_sign(state.book))
        self._shell.window.show_book(state.book, state.account)
        self._shell.tray.show_book(state.book, state.account, QApplication.windowIcon())

    def _on_news(self, news: News) -> None:
        shell = self._shell
        if news.toast:
            shell.say(news.severity, news.text)
        else:
            log.info("%s: %s", news.severity, news.text)
        if news.outside and not shell.window.isActiveWindow():
            shell.tray.tell(news.severity, shell.window.windowTitle(), news.text)
        if shell.preferences.now.sounds:
            self.bell.ring(news.sound)

    def _acknowledge(self) -> None:
        if self._shell.head.banner.current is None:
            raise Refusal(say("no banner to acknowledge"))
        self._shell.head.banner.acknowledge_current()

    # --- choices

    def _apply_preferences(self) -> None:
        now = self._shell.preferences.now
        from market_agent_gui.sizes_dialog import read_amount, read_sizes

        try:
            sizes, risk = read_sizes(now.sizes), read_amount(now.risk_money)
        except ValueError:
            self._shell.preferences.complain(say("sizes in window.json are not numbers; the defaults hold"))
        else:
            self._shell.entry.use_sizes(sizes, risk)

    def prefer(self, **changes: object) -> None:
        """Remember choices of the window; where the disk refuses they hold until the end."""
        try:
            self._shell.preferences.change(**changes)
        except OSError as error:
            self._shell.say("warn", say("The choice holds until the end but was not saved: {reason}", reason=error))

    def use_theme(self, name: str) -> None:
        """Switch the theme."""
        apply_theme(self._shell.app, name, self._shell.preferences.now.scale)
        self.prefer(theme=name)

    def use_language(self, name: str) -> None:
        """Switch the language."""
        self._shell.language.use(name)
        self._shell.head.retranslate()
        for presenter in self._shell.presenters.values():
            if presenter.pane is not None:
                presenter.retranslate()
        self.prefer(language=name)

    def _scale(self, step: float) -> None:
        scale = round(min(2.0, max(1.0, self._shell.preferences.now.scale + step)), 2)
        theme = self._shell.preferences.now.theme
        apply_theme(self._shell.app, theme if theme in theme_names() else "dark", scale)
        self.prefer(scale=scale)

    def _toggle_sounds(self) -> None:
        on = not self._shell.preferences.now.sounds
        self.prefer(sounds=on)
        self._shell.say("info", say("Sounds are on") if on else say("Sounds are off"))
        if on:
            self.bell.ring(Sound.FILL)

    def use_workspace(self, name: str) -> None:
        """Arrange as a template or a saved workspace."""
        try:
            self._shell.workspaces.use(name)
        except Refusal as refusal:
            self._shell.say("warn", str(refusal))

    def _float_focused(self) -> None:
        window = self._shell.window
        name = window.focused_dock()
        if not name:
            raise Refusal(say("no pane has the focus"))
        window.float_dock(name, not window.docks[name].isFloating())

    def _to_next_screen(self, name: str) -> None:
        window = self._shell.window
        if not name:
            raise Refusal(say("no pane has the focus"))
        dock = window.docks[name]
        screens = dock.screen().virtualSiblings()
        if len(screens) < 2:
            raise Refusal(say("there is only one screen"))
        window.move_dock(name, screens[(screens.index(dock.screen()) + 1) % len(screens)])

    def _open_pane_menu(self, name: str, at: QPoint) -> None:
        from market_agent_gui.pane_menu import pane_menu

        shell = self._shell
        pane_menu(shell.window, shell.links, name, lambda: shell.keys.keys, self._to_next_screen).popup(at)

    def _open_settings(self) -> None:
        path = self._shell.settings_file
        if not path.exists():
            raise Refusal(say("{file} does not exist yet: the defaults hold", file=path.name))
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def first_run(self) -> None:
        """Open the first steps."""
        from market_agent_gui.first_run import FirstRun

        shell = self._shell
        now = shell.preferences.now
        pages = FirstRun(theme_names(), now.language, now.theme, shell.keys.keys.key)
        pages.language_chosen.connect(self.use_language)
        pages.theme_chosen.connect(self.use_theme)
        pages.autonomy_chosen.connect(self._choose_autonomy)
        pages.symbols_chosen.connect(
            lambda symbols: shell.bridge.fire(Watch(symbols=tuple(Symbol(symbol) for symbol in symbols)))
        )
        pages.pin_chosen.connect(self.pin.set_first)
        pages.settings_wanted.connect(lambda: shell.commander.run("settings_file", "button"))
        pages.done_with.connect(lambda: self.prefer(first_run_done=True))
        shell.open_dialog(pages)

    def _choose_autonomy(self, level: Autonomy) -> None:
        self._shell.bridge.fire(SetAutonomy(autonomy=level, reason="first steps"))

    def _on_pin(self) -> None:
        minutes = self._shell.preferences.now.lock_minutes or 15.0
        self.prefer(lock_minutes=minutes)
        self.idle.set_minutes(minutes)
