"""Shared test support: fake counterparties that speak the real wire protocols."""
