"""Interactive Brokers through ib_async: one link, one broker."""
