"""One file a rule. A rule is a pure function from a situation to findings; ``table`` lists them in order."""
