"""Data in: providers, the collector that runs them, and files of history."""
