"""Projections of bus events to rows for the outbox."""
