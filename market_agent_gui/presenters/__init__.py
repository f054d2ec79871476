"""One presenter a flow: it connects a pane's signals with the bridge and decides nothing about money."""
