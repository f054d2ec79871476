"""The gateway's own links to the broker: what its messages about them amount to. Pure state, no I/O."""

import re

_NAME = re.compile(r"[:.](\w+)\s*$")
"""The farm's name ends the sentence: `...broken:usfarm`, `...upon demand.usfarm`."""


class Upstream:
    """Knows whether the gateway can reach the broker, and which farms are broken."""

    def __init__(self, farms_block: bool) -> None:
        self._farms_block = farms_block
        self.lost = False
        self.farms: dict[str, str] = {}
        """Kind of farm and its name -> the gateway's sentence."""

    def reset(self) -> None:
        """A new connection knows nothing yet."""
        self.lost = False
        self.farms.clear()

    def hear(self, code: int, text: str) -> bool:
        """Take a message in; true when it was about these links."""
        named = _NAME.search(text)
        name = named[1] if named else ""
        match code:
            case 1100 | 2110:
                self.lost = True
            case 1101 | 1102:
                self.lost = False
            case 2103 | 2105 | 2157:
                self.farms[f"{_KIND[code]} {name}"] = text
            case 2104 | 2106 | 2158 | 2107 | 2108:
                self.farms.pop(f"{_KIND[code]} {name}", None)
            case _:
                return False
        return True

    @property
    def trouble(self) -> str:
        """Why no order should be sent; empty when there is no reason."""
        if self.lost:
            return "the gateway has lost its connection to the broker"
        broken = sorted(name for name in self.farms if name.startswith("market"))
        if broken and self._farms_block:
            return f"broken: {', '.join(broken)}"
        return ""


_KIND = {
    2103: "market data farm",
    2104: "market data farm",
    2108: "market data farm",
    2105: "history farm",
    2106: "history farm",
    2107: "history farm",
    2157: "security definitions farm",
    2158: "security definitions farm",
}
