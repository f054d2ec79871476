"""Read strategies; an error names the line, the key and the rule."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from engine.scoring.technical.document import Document, Place
from engine.scoring.technical.expression import Indicators, Rule, RuleError
from engine.scoring.technical.faults import Fault, StrategyError
from engine.scoring.technical.strategy import SideRules, Strategy
from engine.scoring.technical.wording import sentence


@dataclass(frozen=True)
class CompiledSide:
    enter: tuple[Rule, ...]
    score: tuple[tuple[Rule, float], ...]
    exit: tuple[Rule, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of the side."""
        return (*self.enter, *self.exit, *(rule for rule, _ in self.score))


@dataclass(frozen=True)
class CompiledStrategy:
    """A strategy with its rules parsed."""

    strategy: Strategy
    sides: dict[int, CompiledSide]
    warmup: int
    """Bars of a symbol before it is judged: so many that every rule is known. It is computed over all there are."""

    @property
    def features(self) -> frozenset[str]:
        """Features of the vector that its rules read."""
        return frozenset(name for side in self.sides.values() for rule in side.rules for name in rule.features)


def parse_strategy(name: str, text: str, indicators: Indicators, features: frozenset[str]) -> CompiledStrategy:
    """Read one text. Raises :class:`StrategyError` with every fault; it calls the text ``name``."""
    document = Document(name, text)
    try:
        strategy = Strategy.model_validate(document.data)
    except ValidationError as error:
        faults = [
            Fault(document.line(each["loc"]), ".".join(map(str, each["loc"])), sentence(each, Strategy.model_fields))
            for each in error.errors(include_url=False)
        ]
        raise StrategyError(name, sorted(faults)) from error
    faults = []
    rules: list[Rule] = []

    def parse(text: str, place: Place) -> Rule | None:
        try:
            rule = Rule(text, indicators, features)
        except RuleError as error:
            key = ".".join(str(step) for step in place if isinstance(step, str))
            faults.append(Fault(document.line(place), key, str(error)))
            return None
        rules.append(rule)
        return rule

    sides: dict[int, CompiledSide] = {}
    for sign, side_name, side in ((1, "long", strategy.long), (-1, "short", strategy.short)):
        if side is not None:
            sides[sign] = _side(side, side_name, parse)
    if not sides:
        faults.append(Fault(1, "", "It needs long or short rules."))
    if faults:
        raise StrategyError(name, faults)
    warmup = max([rule.warmup for rule in rules] + [strategy.atr_period * 4 + 2])
    return CompiledStrategy(strategy=strategy, sides=sides, warmup=warmup)


def _side(side: SideRules, name: str, parse: Callable[[str, Place], Rule | None]) -> CompiledSide:
    enter = [parse(text, (name, "enter", number)) for number, text in enumerate(side.enter)]
    score = [(parse(item.when, (name, "score", number, "when")), item.weight) for number, item in enumerate(side.score)]
    leave = [parse(text, (name, "exit", number)) for number, text in enumerate(side.exit)]
    return CompiledSide(
        enter=tuple(rule for rule in enter if rule is not None),
        score=tuple((rule, weight) for rule, weight in score if rule is not None),
        exit=tuple(rule for rule in leave if rule is not None),
    )


def read_text(path: Path) -> str:
    """Read a file. Raises :class:`StrategyError` saying why it cannot be."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StrategyError(str(path), (Fault(0, "", f"cannot be read: {error}"),)) from error
