"""What the outside may use of the engine: one port, one protocol."""
