"""The indicators and features that strategy rules may use."""

from collections.abc import Mapping

from engine.features.engine import NAMES
from engine.features.indicators.registry import INDICATORS
from engine.scoring.technical.expression import Column

FEATURES = frozenset(NAMES)


class IndicatorCatalogue:
    """The registry, as the rule language asks for it."""

    def known(self, name: str) -> bool:
        return name in INDICATORS

    def outputs(self, name: str) -> tuple[str, ...]:
        return tuple(output.name for output in INDICATORS[name].outputs)

    def bind(self, name: str, positional: tuple[float, ...], named: Mapping[str, float | str]) -> Mapping[str, object]:
        """Check parameters. Raises ``ValueError`` naming the parameter and its bounds."""
        spec = INDICATORS[name]
        if len(positional) > len(spec.params):
            raise ValueError(f"takes at most {len(spec.params)} parameters")
        given: dict[str, object] = {p.name: v for p, v in zip(spec.params, positional, strict=False)}
        given.update(named)
        return spec.resolve(given)

    def compute(self, name: str, columns: Mapping[str, Column], params: Mapping[str, object]) -> Mapping[str, Column]:
        return INDICATORS[name].compute(columns, **params)

    def warmup(self, name: str, params: Mapping[str, object]) -> int:
        return INDICATORS[name].warmup(**params)
