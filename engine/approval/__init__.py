"""Between a suggestion and its order: policy, questions to the person, drift guard, mandate."""
