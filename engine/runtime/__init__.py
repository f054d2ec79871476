"""The engine as a whole: assembly, the door, the outbox, the supervisor."""
