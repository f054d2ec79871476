"""Operations: what keeps the engine honest about its own health. It lowers and warns; it never raises anything."""
