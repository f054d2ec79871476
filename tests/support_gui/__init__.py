"""A small engine that speaks the real wire, for tests of the window."""
