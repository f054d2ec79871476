"""Files the program ships beside its code: styles, icons, sounds, texts."""
