"""The Model Context Protocol on standard input and output: tools for an assistant, before the same gate."""
