"""The paper exchange: a broker with an order queue, latency, partial fills, halts, auctions, fees and a memory."""
