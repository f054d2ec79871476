"""Scores: what each source makes of the features."""
