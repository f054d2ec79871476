"""Durable memory: the order journal, counters, small values, recordings and their backups."""
