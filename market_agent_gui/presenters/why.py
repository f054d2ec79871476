"""*Why*: the evidence behind the selected suggestion, and what changed since the one before on the same symbol."""

from PySide6.QtWidgets import QWidget

from engine.api.rows import SuggestionRow
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.translate import say


class WhyPresenter(PanePresenter):
    dock = "why"
    tables = ("suggestions",)

    def make(self) -> QWidget:
        from widgets.evidence_panel import EvidencePanel

        self._panel = EvidencePanel()
        self._panel.evidence_chosen.connect(lambda _key, _evidence: self.services.show_pane("chart"))
        return self._panel

    def show(self, row: SuggestionRow | None) -> None:
        """Show one suggestion."""
        if self.pane is not None:
            self._panel.show_suggestion(row, self._since(row) if row is not None else "")

    def _since(self, row: SuggestionRow) -> str:
        earlier = [
            other
            for other in self.services.bridge.mirror.rows("suggestions").values()
            if other.symbol == row.symbol and other.made_ns < row.made_ns
        ]
        if not earlier:
            return ""
        before = max(earlier, key=lambda other: other.made_ns)
        old = {name: points for name, points, _, _ in before.sources}
        moved = [
            f"{name} {old[name]:+.1f} → {points:+.1f}"
            for name, points, _, _ in row.sources
            if name in old and abs(points - old[name]) >= 0.5
        ]
        changes = ", ".join(moved) or say("no source moved by half a point")
        return say("Since {key}: {changes}", key=before.key, changes=changes)
