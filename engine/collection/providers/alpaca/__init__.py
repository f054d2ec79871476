"""Market data of Alpaca: one stream for prices, REST for history."""
