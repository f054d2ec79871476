"""The shell: the window, its keys and its flows. The only package that knows both Qt and the engine's port."""
