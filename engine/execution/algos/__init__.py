"""Execution algorithms: pure planners that split a parent order into children, and the desk that runs them."""
