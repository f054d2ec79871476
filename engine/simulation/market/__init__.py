"""A simulated equity market: a pure function of (seed, time)."""
