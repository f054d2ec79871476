"""First steps: five short pages, each can be skipped. What is chosen goes to the engine as commands, at once."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.model.decision import Autonomy
from market_agent_gui.actions import BY_ID, key_text
from market_agent_gui.first_run_parts import Choice, Steps, key_table, note
from market_agent_gui.translate import LANGUAGES, say
from widgets.theme import current_theme

PAGES = ("Language and theme", "Paper or broker", "How the agent may act", "What to trade", "Keys and limits")
LEVELS = (
    (Autonomy.OBSERVE, "Observe", "Collects, scores, explains. Never proposes an order.", "nothing"),
    (Autonomy.SUGGEST, "Suggest", "Publishes suggestions with entry, stop and target. You trade by hand.", "nothing"),
    (
        Autonomy.ASK,
        "Ask",
        "Prepares complete orders and waits for your key. No answer means no order.",
        "what you approve runs to its stop or target",
    ),
    (
        Autonomy.ASK_ABOVE_LIMITS,
        "Ask above limits",
        "Sends small orders alone, asks for larger ones. You answer exceptions.",
        "small orders, until the daily loss limit stops it",
    ),
    (
        Autonomy.AUTO,
        "Automatic",
        "Trades alone inside the limits you sign, with a stop at the broker.",
        "entries stop at the daily loss limit; gaps can lose more",
    ),
)
BROKERS = (
    ("PAPER, to begin with", "Simulated money on an exchange inside this program. There is nothing to set up."),
    (
        "Interactive Brokers",
        "Through TWS or IB Gateway. In the settings file: broker.kind is ibkr, and the account in ibkr.account.",
    ),
    (
        "Alpaca",
        "In the settings file: broker.kind is alpaca, and the account in alpaca.account. Keys never stand in the file.",
    ),
)
SHOWN_KEYS = ("stage_buy", "stage_sell", "send", "drop", "arm", "stop", "cancel_all", "rehearse", "palette", "key_card")


class FirstRun(QDialog):
    """A dialog of pages; Esc skips a page, and after the last one it ends."""

    language_chosen = Signal(str)
    theme_chosen = Signal(str)
    autonomy_chosen = Signal(object)
    symbols_chosen = Signal(tuple)
    pin_chosen = Signal(str)
    settings_wanted = Signal()
    done_with = Signal()

    def __init__(self, themes: tuple[str, ...], language: str, theme: str, key: Callable[[str], str]) -> None:
        super().__init__()
        self._themes, self._language, self._theme, self._key = themes, language, theme, key
        self._autonomy = Autonomy.ASK
        self._chosen_autonomy = False
        self.setModal(True)
        theme_now = current_theme()
        self.resize(theme_now.px(1000), theme_now.px(660))
        self.steps = Steps()
        self.steps.chosen.connect(self._on_step)
        self.foot = QLabel()
        self.foot.setWordWrap(True)
        self.foot.setContentsMargins(theme_now.px(24), 0, theme_now.px(12), theme_now.px(16))
        self.foot.setMaximumWidth(theme_now.px(240))
        self.foot.setProperty("role", "caption")
        self.pages = QStackedWidget()
        self.back, self.skip, self.next = QPushButton(), QPushButton(), QPushButton()
        self.next.setProperty("role", "primary")
        self.next.setDefault(True)
        for button, do in ((self.back, self._on_back), (self.skip, self._on_skip), (self.next, self._on_next)):
            button.setAutoDefault(button is self.next)
            button.clicked.connect(do)
        side = QFrame()
        side.setProperty("role", "side")
        left = QVBoxLayout(side)
        left.setContentsMargins(0, theme_now.px(20), 0, 0)
        left.addWidget(self.steps, 1)
        left.addWidget(self.foot)
        bar = QFrame()
        bar.setProperty("role", "foot")
        buttons = QHBoxLayout(bar)
        buttons.setContentsMargins(theme_now.px(32), theme_now.px(12), theme_now.px(32), theme_now.px(12))
        buttons.addWidget(self.back)
        buttons.addStretch(1)
        buttons.addWidget(self.skip)
        buttons.addWidget(self.next)
        ground = QFrame()
        ground.setProperty("role", "pane")
        right = QVBoxLayout(ground)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.pages, 1)
        right.addWidget(bar)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        outer.addWidget(side)
        outer.addWidget(ground, 1)
        self._build()
        self._go(0)

    # --- pages

    def _build(self) -> None:
        while self.pages.count():
            page = self.pages.widget(0)
            self.pages.removeWidget(page)
            page.deleteLater()
        for make in (self._page_language, self._page_broker, self._page_autonomy, self._page_symbols, self._page_keys):
            self.pages.addWidget(make())
        self.setWindowTitle("Market Agent · " + say("First steps"))
        self.foot.setText(say("Every page can be skipped and changed later. Nothing here sends an order."))

    def _page(self, title: str, text: str) -> tuple[QWidget, QVBoxLayout]:
        page = QWidget()
        theme = current_theme()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.px(32), theme.px(24), theme.px(32), theme.px(16))
        column.setSpacing(theme.px(12))
        heading = QLabel(title)
        heading.setProperty("role", "page-title")
        words = QLabel(text)
        words.setWordWrap(True)
        words.setProperty("role", "secondary")
        column.addWidget(heading)
        column.addWidget(words)
        return page, column

    def _page_language(self) -> QWidget:
        page, column = self._page(say("Language and theme"), say("Both change at once, and any time later."))
        self.languages, self.themes = QComboBox(), QComboBox()
        for name, title in LANGUAGES.items():
            self.languages.addItem(title, name)
        self.languages.setCurrentIndex(max(0, self.languages.findData(self._language)))
        for name in self._themes:
            self.themes.addItem(say(name.replace("-", " ").replace("_", " ").capitalize()), name)
        self.themes.setCurrentIndex(max(0, self.themes.findData(self._theme)))
        for title, box in ((say("Language"), self.languages), (say("Theme"), self.themes)):
            label = QLabel(title)
            label.setBuddy(box)
            box.setAccessibleName(title)
            box.setMaximumWidth(320)
            column.addWidget(label)
            column.addWidget(box)
        self.languages.activated.connect(self._on_language)
        self.themes.activated.connect(self._on_theme)
        column.addStretch(1)
        return page

    def _page_broker(self) -> QWidget:
        page, column = self._page(
            say("Paper or broker"),
            say(
                "Without a broker you trade PAPER: simulated money on an exchange inside this program. "
                "A broker is connected in the settings file, in the section “broker”; "
                "live trading needs its own profile and a PIN at every start."
            ),
        )
        rows = QVBoxLayout()
        rows.setSpacing(0)
        for number, (title, text) in enumerate(BROKERS):
            name = QLabel(say(title))
            name.setProperty("role", "title")
            name.setIndent(current_theme().px(24))
            row = Choice(name, ((say(text), "secondary"),))
            row.mark(number == 0)
            rows.addWidget(row)
        column.addLayout(rows)
        button = QPushButton(say("Open the settings file"))
        button.setAutoDefault(False)
        button.setMaximumWidth(320)
        button.clicked.connect(self.settings_wanted)
        column.addWidget(button)
        column.addStretch(1)
        return page

    def _page_autonomy(self) -> QWidget:
        page, column = self._page(
            say("How may the agent act?"),
            say("Choose for everything now. You alone can raise it. Faults lower it at once."),
        )
        self.levels = QButtonGroup(page)
        self.rows: list[Choice] = []
        rows = QVBoxLayout()
        rows.setSpacing(0)
        heads = QHBoxLayout()
        heads.setContentsMargins(current_theme().px(36), 0, current_theme().px(12), current_theme().px(4))
        heads.setSpacing(current_theme().px(24))
        for title in (say("The agent"), say("Most that can happen without you")):
            head = QLabel(title)
            head.setProperty("role", "caption")
            heads.addWidget(head, 1)
        column.addLayout(heads)
        for number, (level, title, text, most) in enumerate(LEVELS):
            button = QRadioButton(f"{number + 1}  {say(title)}")
            button.setProperty("role", "title")
            button.setChecked(level is self._autonomy)
            button.setAccessibleDescription(f"{say(text)} {say('Most that can happen without you')}: {say(most)}")
            self.levels.addButton(button, number)
            row = Choice(button, ((say(text), "secondary"), (say(most), "")))
            row.mark(level is self._autonomy)
            row.pressed.connect(button.click)
            self.rows.append(row)
            rows.addWidget(row)
        column.addLayout(rows)
        self.levels.idClicked.connect(self._on_level)
        column.addStretch(1)
        same = say(
            "Same at every level: cancel, reduce, flatten and STOP never wait for approval. Every entry carries a stop."
        )
        column.addWidget(note(same))
        return page

    def _page_symbols(self) -> QWidget:
        page, column = self._page(
            say("What to trade"), say("Symbols to watch, separated by spaces. The watchlist takes more at any time.")
        )
        self.symbols = QLineEdit()
        self.symbols.setPlaceholderText("AAPL MSFT NVDA SPY")
        self.symbols.setAccessibleName(say("Symbols"))
        column.addWidget(self.symbols)
        column.addStretch(1)
        return page

    def _page_keys(self) -> QWidget:
        page, column = self._page(
            say("Keys and limits"),
            say("Keys stage an order, Enter sends it once, and only while armed. F2 rehearses: nothing is sent."),
        )
        column.addWidget(key_table([(key_text(self._key(name)), say(BY_ID[name].title)) for name in SHOWN_KEYS]))
        column.addSpacing(current_theme().px(8))
        self.pin = QLineEdit()
        self.pin.setEchoMode(QLineEdit.EchoMode.Password)
        self.pin.setMaximumWidth(current_theme().px(480))
        self.pin.setPlaceholderText(say("PIN (optional): unlocks the window and opens real money"))
        self.pin.setAccessibleName(self.pin.placeholderText())
        column.addWidget(self.pin)
        column.addStretch(1)
        limits = say(
            "Limits start cautious. Look at them in the pane “Limits”; "
            "lower holds at once, higher from the next session."
        )
        column.addWidget(note(limits))
        return page

    # --- moves

    def _go(self, number: int) -> None:
        self.pages.setCurrentIndex(number)
        head = say("Page {number} of {count}", number=number + 1, count=len(PAGES))
        self.steps.show_steps(head, [say(name) for name in PAGES], number)
        self.back.setText(say("Back"))
        self.back.setEnabled(number > 0)
        self.skip.setText(say("Skip  Esc"))
        self.next.setText(say("Done") if number == len(PAGES) - 1 else say("Continue"))
        self.next.setFocus()

    def _on_back(self) -> None:
        self._go(max(0, self.pages.currentIndex() - 1))

    def _on_skip(self) -> None:
        self._forward()

    def _on_next(self) -> None:
        self._use()
        self._forward()

    def _on_step(self, number: int) -> None:
        self._use()
        self._go(number)

    def _use(self) -> None:
        """Let what was chosen on this page hold."""
        page = self.pages.currentIndex()
        if page == 2 and self._chosen_autonomy:
            self.autonomy_chosen.emit(self._autonomy)
            self._chosen_autonomy = False
        elif page == 3:
            symbols = tuple(dict.fromkeys(self.symbols.text().upper().replace(",", " ").split()))
            if symbols:
                self.symbols_chosen.emit(symbols)
        elif page == 4 and self.pin.text():
            self.pin_chosen.emit(self.pin.text())

    def _forward(self) -> None:
        page = self.pages.currentIndex()
        if page == len(PAGES) - 1:
            self.accept()
        else:
            self._go(page + 1)

    def done(self, result: int) -> None:
        super().done(result)
        self.done_with.emit()

    def _on_language(self) -> None:
        self._language = self.languages.currentData()
        self.language_chosen.emit(self._language)
        self._build()
        self._go(0)

    def _on_theme(self) -> None:
        self._theme = self.themes.currentData()
        self.theme_chosen.emit(self._theme)

    def _on_level(self, number: int) -> None:
        self._autonomy = LEVELS[number][0]
        self._chosen_autonomy = True
        for at, row in enumerate(self.rows):
            row.mark(at == number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if not event.isAutoRepeat():
                self._on_skip()
            return
        number = event.key() - int(Qt.Key.Key_1)
        if self.pages.currentIndex() == 2 and 0 <= number < len(LEVELS):
            self.levels.button(number).setChecked(True)
            self._on_level(number)
            return
        super().keyPressEvent(event)
