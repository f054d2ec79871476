"""Suggestions: forecasts turned into concrete, expiring proposals, and the queue that keeps them."""
