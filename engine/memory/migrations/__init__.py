"""Forward-only schema changes; each runs whole or not at all."""
