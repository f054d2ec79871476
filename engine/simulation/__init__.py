"""The simulated market and the paper exchange: the embedded default venue."""
