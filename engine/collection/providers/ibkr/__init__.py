"""Market data through the gateway's one connection."""
