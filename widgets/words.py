"""Every word a pane shows passes here, so that a translator sees it."""

from PySide6.QtCore import QCoreApplication


def tr(text: str, meaning: str = "", /, **values: object) -> str:
    """Translate in the context ``widgets``, then fill ``{names}``; the values are never translated or parsed.

    ``meaning`` tells words apart that are one in English, such as "limit" the order type and "limit" the price.
    """
    translated = QCoreApplication.translate("widgets", text, meaning)
    return translated.format(**values) if values else translated
