"""The gate before every order: limits, exposure, modes, locks, sizing. It only ever makes trading safer by itself."""
