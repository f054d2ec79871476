"""Settings of the window that belong into the settings file, not into what the window remembers by itself."""

from pydantic import BaseModel, ConfigDict, Field


class WindowSettings(BaseModel):
    """What the window may show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    foreign_panes: bool = Field(
        True, title="Panes of packages", description="Offer panes that installed packages bring; false offers none."
    )
    foreign_panes_off: tuple[str, ...] = Field(
        (), title="Panes left out", description="Names of panes of packages that are not offered."
    )
