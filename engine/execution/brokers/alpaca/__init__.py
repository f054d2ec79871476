"""Alpaca as a broker: REST for orders, one stream for what becomes of them."""
