"""Positions, cash and profit, booked from fills."""
