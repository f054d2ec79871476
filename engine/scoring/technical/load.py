"""Read strategy files; an error names the file, the key and the rule."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from engine.bus.errors import SettingsError
from engine.scoring.technical.expression import Indicators, Rule, RuleError
from engine.scoring.technical.strategy import SideRules, Strategy
from engine.scoring.technical.wording import sentence


@dataclass(frozen=True)
class CompiledSide:
    enter: tuple[Rule, ...]
    score: tuple[tuple[Rule, float], ...]
    exit: tuple[Rule, ...]


@dataclass(frozen=True)
class CompiledStrategy:
    """A strategy with its rules parsed, and the bars they need."""

    strategy: Strategy
    sides: dict[int, CompiledSide]
    warmup: int


def compile_strategy(strategy: Strategy, indicators: Indicators, features: frozenset[str]) -> CompiledStrategy:
    """Parse every rule. Raises :class:`SettingsError` naming the rule."""
    sides: dict[int, CompiledSide] = {}
    rules: list[Rule] = []

    def parse(text: str, where: str) -> Rule:
        try:
            rule = Rule(text, indicators, features)
        except RuleError as error:
            raise SettingsError(f"strategy {strategy.id}: {where}: {error}") from error
        rules.append(rule)
        return rule

    for sign, name, side in ((1, "long", strategy.long), (-1, "short", strategy.short)):
        if side is not None:
            sides[sign] = _side(side, name, parse)
    if not sides:
        raise SettingsError(f"strategy {strategy.id}: needs long or short rules")
    warmup = max([rule.warmup for rule in rules] + [strategy.atr_period * 4 + 2])
    return CompiledStrategy(strategy=strategy, sides=sides, warmup=warmup)


def _side(side: SideRules, name: str, parse: Callable[[str, str], Rule]) -> CompiledSide:
    return CompiledSide(
        enter=tuple(parse(text, f"{name}.enter") for text in side.enter),
        score=tuple((parse(item.when, f"{name}.score"), item.weight) for item in side.score),
        exit=tuple(parse(text, f"{name}.exit") for text in side.exit),
    )


def read_strategy(path: Path, indicators: Indicators, features: frozenset[str]) -> CompiledStrategy:
    """Read one YAML file. Raises :class:`SettingsError` naming file and line or key."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise SettingsError(f"{path}{line}: not valid YAML ({getattr(error, 'problem', error)})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: a strategy file holds keys and values")
    try:
        strategy = Strategy.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False)
        told = [f"{path}: {'.'.join(map(str, each['loc']))}: {sentence(each, Strategy.model_fields)}" for each in found]
        raise SettingsError("\n".join(told)) from error
    try:
        return compile_strategy(strategy, indicators, features)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def read_folder(folder: Path, indicators: Indicators, features: frozenset[str]) -> dict[str, CompiledStrategy]:
    """Read every strategy of a folder, by name, in order of name."""
    found: dict[str, CompiledStrategy] = {}
    for path in sorted(folder.glob("*.yaml")):
        compiled = read_strategy(path, indicators, features)
        if compiled.strategy.id in found:
            raise SettingsError(f"{path}: another file already holds a strategy {compiled.strategy.id!r}")
        found[compiled.strategy.id] = compiled
    return found
