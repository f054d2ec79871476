"""A TWS gateway on loopback: real wire protocol, a ledger that is the truth, scripted faults."""
