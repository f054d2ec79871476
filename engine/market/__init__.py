"""Last values, bars, calendars, instruments: what the market is and was, checked before anybody hears of it."""
