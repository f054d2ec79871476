"""Reusable views of the trading terminal: one file, one widget and its model."""
