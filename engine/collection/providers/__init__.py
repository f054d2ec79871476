"""One file a provider; ``_template.py`` shows how."""
