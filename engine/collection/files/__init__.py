"""Files of history: understand their columns and times, check every row, put them into the archive."""
