"""Keyboard order entry: key maps, arming, the guard against repetition, the staged order, rehearsal."""
