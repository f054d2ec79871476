"""Settings: gathered from every part, read from one YAML file, checked and stored. Only `main` imports this."""
