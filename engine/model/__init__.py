"""Frozen values of the domain: what every part of the engine speaks in."""
