"""The feature kernel by group. Each file writes its own slice of the vector; `engine.features.kernel` joins them."""
