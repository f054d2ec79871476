"""The nerves: typed synchronous bus, clocks, component lifecycle, the error tree."""
