"""Features and indicators: one kernel for history and live, so that what was learned is what is scored."""
