"""What a key is to this adapter: something that shows itself when asked, and in no log."""

from collections.abc import Mapping
from typing import Protocol


class Key(Protocol):
    def reveal(self) -> str: ...


def headers(key: Key, secret: Key) -> Mapping[str, str]:
    """The headers that Alpaca knows us by."""
    return {"APCA-API-KEY-ID": key.reveal(), "APCA-API-SECRET-KEY": secret.reveal()}
