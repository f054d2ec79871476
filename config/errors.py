"""What can be wrong with settings and profiles, said so that a person can mend it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (file or environment variable, line, dotted key) and what to do."""

    source: str
    key: str
    text: str
    line: int | None = None

    def __str__(self) -> str:
        where = [self.source]
        if self.line is not None:
            where.append(f"line {self.line}")
        if self.key:
            where.append(self.key)
        return f"{', '.join(where)}: {self.text}"


class ConfigError(Exception):
    """The program cannot start as configured; the message is meant for the user (exit code 2)."""


class SettingsError(ConfigError):
    """The settings are refused. `problems` holds every finding, in the order of the file; never a secret's value."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ProfileError(ConfigError):
    """The profile folder cannot be used; the message names the folder and the remedy."""


class ProfileInUseError(ProfileError):
    """Another engine holds this profile's lock."""

    def __init__(self, root: Path, pid: int | None) -> None:
        self.root = root
        self.pid = pid
        by = f" by process {pid}" if pid is not None else ""
        super().__init__(f"The profile {root} is in use{by}. Close that one first, or start with --profile DIR.")
