"""Technical strategies: rules in YAML over the indicators that the chart draws."""
