"""What the palette offers: actions, symbols, suggestions, workspaces, and the order one types."""

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.api.commands import PlaceOrder, Watch
from engine.api.order_language import OrderTextError, parse_order_text
from engine.api.rows import QuoteRow, SuggestionRow
from engine.model.ids import IntentId, Symbol
from engine.model.money import exact
from market_agent_gui.actions import BY_ID as ACTIONS_BY_ID
from market_agent_gui.actions import words as words_of
from market_agent_gui.docks import TEMPLATES, title
from market_agent_gui.palette import SHOWN, Entry
from market_agent_gui.translate import LANGUAGES, say
from widgets.theme import theme_names
from widgets.words import told

if TYPE_CHECKING:
    from market_agent_gui.program import Program
    from market_agent_gui.shell import Shell

VERBS = ("buy", "sell", "cancel", "modify", "flatten")


class PaletteSource:
    """Makes entries anew at every letter; the lists are short and in memory."""

    def __init__(self, shell: "Shell", program: "Program") -> None:
        self._shell, self._program = shell, program

    def entries(self, query: str) -> list[Entry]:
        """Return everything that can be chosen now."""
        return [
            *self._typed(query),
            *self._actions(),
            *self._panes(),
            *self._symbols(query),
            *self._suggestions(),
            *self._workspaces(),
            *self._choices(),
        ]

    def _typed(self, query: str) -> list[Entry]:
        words = query.split()
        if len(words) < 2 or words[0].lower() not in VERBS:
            return []
        try:
            intent = IntentId(self._shell.entry.mint())
            command = parse_order_text(query, intent, by="window", multiplier=self._multiplier)
        except OrderTextError as error:
            reason = told(str(error))
            return [Entry(title=query, group=reason, do=lambda: self._shell.say("warn", reason))]
        if isinstance(command, PlaceOrder):
            # An order typed here is staged, not sent: Enter on the staged order sends it.
            def stage() -> None:
                self._shell.links.choose("ticket", command.request.symbol)
                self._shell.entry.open_request(command.request)

            return [Entry(title=query, group=say("stage this order"), do=stage)]
        asks = self._shell.confirming

        def do() -> None:
            asks.run(lambda: asks.subjects.command(command), lambda: self._shell.entry.fire(command))

        return [Entry(title=query, group=say("do this now"), do=do)]

    def _multiplier(self, symbol: Symbol) -> Decimal:
        row = self._shell.bridge.mirror.rows("quotes").get(symbol)
        return exact(row.multiplier) if isinstance(row, QuoteRow) else Decimal(1)

    def _actions(self) -> list[Entry]:
        commander, keys = self._shell.commander, self._shell.keys.keys
        return [
            Entry(
                title=words_of(spec),
                group=say(spec.group),
                key=keys.key(spec.id),
                words=f"{spec.title} {spec.id}",
                do=lambda name=spec.id: commander.run(name, "palette"),
            )
            for spec in commander.known()
            if spec.id != "palette"
        ]

    def _symbols(self, query: str) -> list[Entry]:
        if not query:
            return []
        word = query.split()[0].upper()
        rows = [row for row in self._shell.bridge.mirror.rows("quotes").values() if isinstance(row, QuoteRow)]
        found = [row for row in rows if row.key.startswith(word)] or [row for row in rows if word in row.name.upper()]
        found.sort(key=lambda row: row.key != word)  # many begin with an A, one is A
        return [self._symbol(row) for row in found[:10]]

    def _symbol(self, row: QuoteRow) -> Entry:
        return Entry(
            title=row.key,
            group=row.name or say("symbol"),
            do=lambda: self._shell.links.choose("ticket", row.key),
        )

    def symbols(self, query: str) -> list[Entry]:
        """Return symbols alone: what is typed as a symbol must never run an action."""
        word = query.strip().upper()
        if not word:
            rows = self._shell.bridge.mirror.rows("quotes").values()
            return [self._symbol(row) for row in rows if isinstance(row, QuoteRow)][:SHOWN]
        found = sorted(self._symbols(query), key=lambda entry: entry.title != word)
        if " " not in word and all(entry.title != word for entry in found):
            found.append(Entry(title=word, group=say("watch it"), do=lambda: self._watch(word)))
        return found

    def _watch(self, symbol: str) -> None:
        self._shell.bridge.fire(Watch(symbols=(Symbol(symbol),)))
        self._shell.links.choose("ticket", symbol)

    def _suggestions(self) -> list[Entry]:
        rows = self._shell.bridge.mirror.rows("suggestions").values()
        return [
            Entry(
                title=f"{row.key} {say(row.side)} {row.symbol}",
                group=say("suggestion"),
                do=lambda symbol=row.symbol: self._show(symbol),
            )
            for row in rows
            if isinstance(row, SuggestionRow) and row.state == "PENDING"
        ]

    def _show(self, symbol: str) -> None:
        self._shell.links.choose("suggestions", symbol)
        self._shell.window.show_dock("suggestions")

    def _panes(self) -> list[Entry]:
        return [
            Entry(
                title=title(frame.spec),
                group=frame.spec.package or say("pane"),
                words=f"{frame.spec.title} {name}",
                do=lambda dock=name: self._focus(dock),
            )
            for name, frame in self._shell.window.docks.items()
            if f"focus_{name}" not in ACTIONS_BY_ID
        ]

    def _focus(self, dock: str) -> None:
        self._shell.window.show_dock(dock)

    def _choices(self) -> list[Entry]:
        themes = [
            Entry(
                title=say(name.replace("_", " ").replace("-", " ").capitalize()),
                group=say("Theme"),
                words=f"theme {name}",
                do=lambda chosen=name: self._program.use_theme(chosen),
            )
            for name in theme_names()
        ]
        languages = [
            Entry(
                title=own,
                group=say("Language"),
                words=f"language {name}",
                do=lambda chosen=name: self._program.use_language(chosen),
            )
            for name, own in LANGUAGES.items()
        ]
        return [*themes, *languages]

    def _workspaces(self) -> list[Entry]:
        return [
            Entry(
                title=say(name) if name in TEMPLATES else name,
                group=say("workspace"),
                words=name,
                do=lambda chosen=name: self._program.use_workspace(chosen),
            )
            for name in self._shell.workspaces.names()
        ]
