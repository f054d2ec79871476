"""Panes of other packages: what they see, how they are found and shown."""
