"""Events: facts, past participle, frozen, with two clocks."""
