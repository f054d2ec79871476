"""A scroll area that keeps one of its children in sight while others come, go and grow."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class FollowingArea(QScrollArea):
    """Follows a child until a hand scrolls it out of sight; from then on it stays where the hand left it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._followed: QWidget | None = None
        self._by_hand = self._let_go = False
        bar = self.verticalScrollBar()
        bar.actionTriggered.connect(self._on_hand)
        bar.valueChanged.connect(self._on_value)
        # Heights settle after the event that changed them: the range is told last of all. When what one child gives
        # another takes, the range stays and only the child moves.
        bar.rangeChanged.connect(lambda *_: self._keep())

    def follow(self, child: QWidget | None) -> None:
        """Bring a child into sight and keep it there; ``None`` follows nothing. Let go before the child is deleted."""
        if child is not self._followed:
            if self._followed is not None:
                self._followed.removeEventFilter(self)
            if child is not None:
                child.installEventFilter(self)
        self._followed, self._let_go = child, False
        self._keep()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._followed and event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self._keep()
        return super().eventFilter(watched, event)

    def shows(self, child: QWidget) -> bool:
        """Whether the whole child is in sight, or fills all there is."""
        view = self.viewport()
        top = child.mapTo(view, child.rect().topLeft()).y()
        if child.height() > view.height():
            return top <= 0 and top + child.height() >= view.height()
        return top >= -1 and top + child.height() <= view.height() + 1

    def _keep(self) -> None:
        child, inside = self._followed, self.widget()
        if child is None or inside is None or self._let_go or not inside.isAncestorOf(child):
            return
        top, height, room = child.mapTo(inside, child.rect().topLeft()).y(), child.height(), self.viewport().height()
        bar = self.verticalScrollBar()
        # What does not fit shows its beginning: what it is stands there.
        lowest = top if height >= room else top + height - room
        bar.setValue(max(lowest, min(bar.value(), top)))

    def _on_hand(self, _action: int) -> None:
        self._by_hand = True

    def _on_value(self, _value: int) -> None:
        if self._by_hand:
            self._by_hand = False
            self._let_go = self._followed is not None and not self.shows(self._followed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep()
