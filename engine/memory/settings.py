"""Settings of the memory."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Durability(StrEnum):
    """What a commit waits for."""

    FULL = "full"
    """The disk says it is written. Always used for live trading."""
    NORMAL = "normal"
    """Survives a crash of the program, not of the machine. For accelerated paper runs."""


class MemorySettings(BaseModel):
    """Where and how the agent remembers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        "sqlite", title="Database", description="`sqlite` keeps everything in the profile folder, in two files."
    )
    durability: Durability = Field(
        Durability.FULL,
        title="Durability of the order journal",
        description="`full` waits for the disk before an order is sent; `normal` is for accelerated paper runs only.",
    )
    ballast_mb: int = Field(
        64,
        ge=0,
        le=1024,
        title="Disk ballast",
        description="Space kept in reserve (MB) and freed when the disk is full, so that cancels are still recorded.",
    )
    flush_ms: int = Field(
        200,
        ge=1,
        le=5000,
        title="Flush interval",
        description="Notes that an order does not wait for are written at the latest after this many milliseconds.",
    )
    keep_daily: int = Field(7, ge=1, le=60, title="Daily backups", description="How many daily backups are kept.")
    keep_weekly: int = Field(4, ge=0, le=60, title="Weekly backups", description="How many weekly backups are kept.")
    news_retention_days: int = Field(
        90, ge=1, le=3650, title="News retention", description="News and posts older than this are deleted."
    )

    @field_validator("url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url == "sqlite":
            return url
        raise ValueError("must be sqlite: there is no other database in this version")
