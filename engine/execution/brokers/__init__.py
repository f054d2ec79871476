"""Adapters to real brokers, one folder each."""
