"""Thought family: features, scores, suggestions."""

from engine.model.events.base import Event
from engine.model.ids import SuggestionId, Symbol
from engine.model.score import Forecast
from engine.model.suggestion import Suggestion


class FeaturesReady(Event, frozen=True, kw_only=True):
    """A fresh vector; ``vector`` is little-endian float64 bytes in the order of the feature names."""

    symbol: Symbol
    seconds: int
    as_of: int
    vector: bytes
    version: str = ""


class Scored(Event, frozen=True, kw_only=True):
    forecast: Forecast


class Suggested(Event, frozen=True, kw_only=True):
    suggestion: Suggestion


class SuggestionWithdrawn(Event, frozen=True, kw_only=True):
    id: SuggestionId
    symbol: Symbol
    reason: str


class SuggestionSuperseded(Event, frozen=True, kw_only=True):
    id: SuggestionId
    symbol: Symbol
    by: SuggestionId
