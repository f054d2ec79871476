"""From a cleared order to its end: send once, fold what the broker says, agree with it, stop."""
