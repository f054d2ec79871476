"""Every word a pane shows passes here, so that a translator sees it."""

from PySide6.QtCore import QCoreApplication


def tr(text: str, /, **values: object) -> str:
    """Translate in the context ``widgets``, then fill ``{names}``; the values are never translated or parsed."""
    translated = QCoreApplication.translate("widgets", text)
    return translated.format(**values) if values else translated
