"""A TWS gateway on loopback: the real wire protocol, a ledger that is the truth, scripted faults.

In a test: `async with TwsGateway(start=...) as gateway, connected(gateway) as ib`, then steer the market
(`gateway.set_price`), arm faults (`gateway.faults.add("lost_order", ref=...)`), and compare what the program believes
with `gateway.ledger` and `gateway.place_frames(ref)`.  At the end `gateway.faults.never_fired()` must be empty.
`connected_in_memory` needs no socket and runs in virtual time; `GatewayProcess` and `python -m
tests.support.tws_gateway` run it as a process of its own.
"""
