"""The market agent: Qt-free, headless, importable from a notebook."""
