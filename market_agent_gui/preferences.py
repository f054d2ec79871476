"""What the window remembers of a person's choices: one JSON file in the profile."""

import logging
from pathlib import Path
from typing import Any

import msgspec

log = logging.getLogger(__name__)
FILE = "window.json"


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """Choices about the window alone; what the engine does is in the settings file."""

    theme: str = "dark"
    language: str = "en"
    scale: float = 1.0
    """Text and rows, 1.0 to 2.0."""
    first_run_done: bool = False
    on_close: str = "ask"
    """ask, stop or keep: what becomes of the engine when the window closes."""
    workspace: str = ""
    sounds: bool = True
    flash: bool = True
    sizes: tuple[str, ...] = ("25", "50", "100", "200", "500", "750", "1000", "1500", "2000")
    risk_money: str = "250"
    presets: Any = {}
    """What orders begin with, by place: ``all``, ``kind STK``, ``symbol AAPL``, ``name Scalp``. Each is read by itself:
    one that is no good takes nothing else with it."""
    arm_minutes: float = 5.0
    keys_to_confirm: int = 0
    """Orders by key that are still small and confirmed by a second press, since something was changed."""
    keys_why: str = "keys"
    """What was changed."""
    keys_account: str = ""
    """Book and account that the last order keys were used with; another one begins with small confirmed orders."""
    keys_sizes: str = ""
    """Sizes and risk money that were in use last."""
    keys_presets: str = ""
    """A short hash of the presets that were in use last."""
    keys_used: dict[str, dict[str, str]] = {}
    """By book, the changed keys that were in use last."""
    confirm_used: dict[str, str] = {}
    """What was confirmed last."""
    keys_all_the_same: tuple[str, ...] = ()
    """Keys that stage or send although the desktop or another program has them, too: a person said so."""
    confirm: dict[str, str] = {}
    """What is confirmed before it is sent: ``live.key`` to ``never``, ``above 25000`` or ``always``."""
    global_stop: bool = False
    """Whether STOP's held key is heard while another program has the focus."""
    lock_minutes: float = 0.0
    """Idle minutes after which the window locks; 0 is never."""


class PreferencesFile:
    """Reads once, writes on change in one step."""

    def __init__(self, profile: Path) -> None:
        self._path = profile / FILE
        self.problem = ""
        """Why the stored choices could not be used, in words; empty when all is well."""
        self.now = self._read()

    def complain(self, text: str) -> None:
        """One more choice could not be used."""
        self.problem = f"{self.problem}; {text}" if self.problem else text

    def change(self, **changes: object) -> Preferences:
        """Remember changed choices. Raises ``OSError`` when the disk refuses; the choice holds until the end anyway."""
        self.now = msgspec.structs.replace(self.now, **changes)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(self.now)))
        temporary.replace(self._path)
        return self.now

    def _read(self) -> Preferences:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Preferences)
        except FileNotFoundError:
            return Preferences()
        except (OSError, msgspec.MsgspecError) as error:
            self.problem = f"{self._path.name} cannot be used ({error}); the window starts with its defaults"
            log.warning(self.problem)
            return Preferences()
