"""An Alpaca broker on loopback: REST, the order stream, the market data stream, scripted faults."""
