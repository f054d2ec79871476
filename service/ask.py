"""One request: who asks, what was sent, and the engine to ask."""

from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from engine.api.client import EngineUnavailable
from engine.api.rows import Row
from service.answers import Refusal
from service.link import EngineLink
from service.tokens import Scope

T = TypeVar("T", bound=Row)


@dataclass(frozen=True)
class Ask:
    """What a route's function gets."""

    request: Request
    link: EngineLink

    @property
    def scope(self) -> Scope:
        """What the token allows."""
        return Scope(self.request.scope["state"]["scope"])

    def need(self, scope: Scope) -> None:
        """Raises :class:`Refusal` when the token does not allow it."""
        if self.scope < scope:
            raise Refusal(403, "SCOPE", "This token only reads; what changes something takes the token in trade.token.")

    def need_engine(self) -> None:
        """Raises ``EngineUnavailable`` while there is none: nothing that was true is told as if it still were."""
        if not self.link.up:
            raise EngineUnavailable(self.link.why)

    def rows(self, table: str, kind: type[T]) -> list[T]:
        """Rows of a table as the engine showed them last."""
        self.need_engine()
        return [row for row in self.link.mirror.tables[table].rows.values() if isinstance(row, kind)]

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "")

    def flag(self, name: str) -> bool:
        """Read yes or no. Raises :class:`Refusal`."""
        text = self.query(name).lower()
        if text not in ("", "true", "false", "1", "0"):
            raise Refusal(422, "QUERY", f"{name} is true or false")
        return text in ("true", "1")
