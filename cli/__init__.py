"""The command line: thin clients of the engine's door, and the headless run. Part of main, the composition root."""
