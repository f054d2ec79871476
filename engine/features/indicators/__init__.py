"""The strategy engine's indicators. The chart draws what these compute, so what is seen is what is scored."""
