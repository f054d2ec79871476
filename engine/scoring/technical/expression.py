"""The language of strategy rules: arithmetic, comparisons and indicators over bars; nothing else.

``ema(9) > ema(21)``, ``40 < rsi(14) < 70``, ``crosses_above(close, vwap())``, ``macd(12, 26, 9).histogram > 0``,
``close[1] < open[1]`` (one bar ago), ``either(vwap(), mean(close, 39))`` (the second where the first is unknown),
``RSV20 > 0.8`` (a feature of the vector). Python's parser reads the text; this module walks the tree and knows no
names but its own, so a rule can compute and cannot act.

What is scored when a bar closes, what a trial says of that bar and what a chart draws at it are one number. An
indicator remembers (an average of Wilder's forgets a bar by a fourteenth with each that follows), so it is always
computed over all the bars that are given, never over as few as it needs to be known. None of them looks ahead, bit for
bit; what a rule makes of them looks back by a fixed number of bars. So the newest bar is judged by :meth:`Rule.check`
on the last few values alone, and :meth:`Rule.series` over a longer history says the same of that bar.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
MOST_LETTERS = 500
DEEPEST = 40
PRICES = ("open", "high", "low", "close", "volume")

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_SYMBOL = {ast.Gt: ">", ast.GtE: "≥", ast.Lt: "<", ast.LtE: "≤"}


class RuleError(ValueError):
    """A rule that cannot be read; the message names the part."""


class Indicators(Protocol):
    """The catalogue a rule may use."""

    def known(self, name: str) -> bool: ...

    def outputs(self, name: str) -> tuple[str, ...]: ...

    def bind(self, name: str, positional: tuple[float, ...], named: Mapping[str, float | str]) -> Mapping[str, object]:
        """Check parameters against their bounds. Raises ``ValueError`` naming the parameter."""

    def compute(self, name: str, columns: Mapping[str, Column], params: Mapping[str, object]) -> Mapping[str, Column]:
        """Columns as long as the input, NaN while warming up."""

    def warmup(self, name: str, params: Mapping[str, object]) -> int: ...


@dataclass(frozen=True)
class Bars:
    """What a rule is evaluated on: closed bars of one symbol, newest last, and the newest feature vector."""

    columns: Mapping[str, Column]
    """All bars that are known, of which an indicator is computed."""
    features: Mapping[str, float | Column] = field(default_factory=dict)
    cache: dict[object, Mapping[str, Column]] = field(default_factory=dict)
    """Indicators over all bars, as they were asked for."""
    count: int = 0
    """How many of the newest bars are looked at; 0: all."""

    def newest(self, count: int) -> "Bars":
        """The same bars, of which the newest are looked at."""
        return Bars(self.columns, self.features, self.cache, count)

    def seen(self, value: float | Column) -> Any:
        """What is looked at of a column as long as the bars; a number stays one."""
        return value[-self.count :] if self.count and isinstance(value, np.ndarray) else value


@dataclass(frozen=True)
class Outcome:
    """A rule's verdict on the newest bar. ``holds`` is False for anything unknown (NaN)."""

    holds: bool
    known: bool
    text: str
    """The rule; where it holds with the numbers it saw: ``ema(9) 190.20 > ema(21) 189.90``."""


Eval = Callable[[Bars], Any]


class Part(NamedTuple):
    """A piece of a rule."""

    at: Eval
    reach: int = 0
    """Bars before the newest that its value there looks at."""
    needs: int = 1
    """Bars after which its value is known."""
    fixed: bool = False
    """A number, whatever the bars are."""


class Rule:
    """One parsed rule."""

    def __init__(self, text: str, indicators: Indicators, features: frozenset[str] = frozenset()) -> None:
        self.text = text
        self._indicators = indicators
        self._features = features
        self.features: set[str] = set()
        """Features of the vector that it reads."""
        if len(text) > MOST_LETTERS:
            raise RuleError(f"A rule has at most {MOST_LETTERS} letters")
        try:
            tree = ast.parse(text.strip(), mode="eval")
            if _depth(tree.body) > DEEPEST:
                raise RuleError("A rule is nested too deeply")
            part = self._build(tree.body)
            self._shown = self._compared(tree.body)
        except SyntaxError as error:
            raise RuleError(f"cannot read {text!r}: {error.msg}") from error
        except (RecursionError, MemoryError, OverflowError, ValueError) as error:
            if isinstance(error, RuleError):
                raise
            raise RuleError(f"{text!r}: it cannot be computed") from error
        self._at = part.at
        self.reach = part.reach
        """Bars before the newest that its verdict there looks at, indicators aside."""
        self.warmup = part.needs
        """Bars after which it is known."""

    def check(self, bars: Bars) -> Outcome:
        """Judge the newest bar."""
        seen = bars.newest(self.reach + 1)
        value = _last(self._at(seen))
        known = bool(np.isfinite(value))
        holds = known and bool(value)
        return Outcome(holds=holds, known=known, text=self._say(seen) if holds else self.text)

    def value(self, bars: Bars) -> float:
        """The newest value of an arithmetic rule."""
        return float(_last(self._at(bars.newest(self.reach + 1))))

    def series(self, bars: Bars) -> Column:
        """Judge every bar: 1 holds, 0 does not, NaN unknown. Features may be given as columns."""
        value = np.asarray(self._at(bars), dtype=np.float64).reshape(-1)
        count = len(bars.columns["close"])
        return np.full(count, value[0]) if value.size == 1 and count != 1 else value

    # -- building --------------------------------------------------------------------------------------------------

    def _build(self, node: ast.expr) -> Part:
        match node:
            case ast.Constant(value=bool()):
                raise RuleError(f"{self.text!r}: True and False are no numbers")
            case ast.Constant(value=int() | float() as number):
                constant = float(number)
                return Part(lambda bars: constant, fixed=True)
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self._build(operand)
                return inner._replace(at=lambda bars: -inner.at(bars))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._build(operand)
                return inner._replace(at=lambda bars: _where(inner.at(bars), lambda v: 1.0 - (v != 0)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                apply = _BINARY[type(op)]
                return _joined(self._parts(left, right), lambda values: _quiet(apply, *values))
            case ast.BoolOp(op=op, values=values):
                combine = np.minimum if isinstance(op, ast.And) else np.maximum
                return _joined(self._parts(*values), lambda found: _fold(combine, found))
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compare(left, ops, others)
            case ast.Subscript(value=inner_node, slice=ast.Constant(value=int() as back)):
                if not 0 <= back <= 500:
                    raise RuleError(f"{self.text!r}: [{back}] must be 0..500 bars ago")
                inner = self._bars_only(inner_node)
                return Part(lambda bars: _shift(inner.at(bars), back), inner.reach + back, inner.needs + back)
            case ast.Attribute(value=ast.Call() as call, attr=output):
                return self._call(call, output)
            case ast.Call():
                return self._call(node, "")
        raise RuleError(f"{self.text!r}: {ast.unparse(node)!r} is not part of the rule language")

    def _parts(self, *nodes: ast.expr) -> list[Part]:
        return [self._build(node) for node in nodes]

    def _bars_only(self, node: ast.expr) -> Part:
        """What looks at earlier bars cannot look at features: only those of the newest bar are known."""
        before = set(self.features)
        inner = self._build(node)
        if new := sorted(self.features - before):
            raise RuleError(f"{self.text!r}: {new[0]} is known for the newest bar alone")
        return inner

    def _name(self, name: str) -> Part:
        if name in PRICES:
            return Part(lambda bars: bars.seen(bars.columns[name]))
        if name in self._features:
            self.features.add(name)
            return Part(lambda bars: bars.seen(bars.features.get(name, float("nan"))))
        raise RuleError(f"{self.text!r}: unknown name {name!r}")

    def _compare(self, left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr]) -> Part:
        parts = self._parts(left, *others)
        for op in ops:
            if type(op) not in _COMPARE:
                raise RuleError(f"{self.text!r}: only < <= > >= compare numbers")
        applies = [_COMPARE[type(op)] for op in ops]

        def evaluate(values: list[Any]) -> Any:
            results = []
            for apply, first, second in zip(applies, values, values[1:], strict=False):
                known = np.isfinite(first) & np.isfinite(second)
                results.append(np.where(known, apply(first, second), np.nan))
            return _fold(np.minimum, results)

        return _joined(parts, evaluate)

    def _call(self, node: ast.Call, output: str) -> Part:
        if not isinstance(node.func, ast.Name):
            raise RuleError(f"{self.text!r}: {ast.unparse(node.func)!r} is not callable")
        name = node.func.id
        if name in _WINDOWS or name in _FUNCTIONS:
            if node.keywords or output:
                raise RuleError(f"{self.text!r}: {name} takes plain arguments")
            count = _FUNCTIONS[name][0] if name in _FUNCTIONS else 2
            if len(node.args) != count:
                raise RuleError(f"{self.text!r}: {name} takes {count} arguments")
            return self._function(name, node.args) if name in _FUNCTIONS else self._window(name, *node.args)
        if not self._indicators.known(name):
            raise RuleError(f"{self.text!r}: unknown indicator {name!r}")
        try:
            positional = tuple(float(ast.literal_eval(argument)) for argument in node.args)
            named = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
            params = self._indicators.bind(name, positional, named)
        except (ValueError, TypeError) as error:
            raise RuleError(f"{self.text!r}: {name}: {error}") from error
        outputs = self._indicators.outputs(name)
        chosen = output or outputs[0]
        if chosen not in outputs:
            raise RuleError(f"{self.text!r}: {name} has no output {chosen!r}, only {', '.join(outputs)}")
        key = (name, tuple(sorted((k, str(v)) for k, v in params.items())))

        def evaluate(bars: Bars) -> Any:
            found = bars.cache.get(key)
            if found is None:
                found = bars.cache[key] = self._indicators.compute(name, bars.columns, params)
            return bars.seen(found[chosen])

        return Part(evaluate, needs=self._indicators.warmup(name, params) + 1)

    def _function(self, name: str, nodes: list[ast.expr]) -> Part:
        _, apply, back = _FUNCTIONS[name]
        parts = [self._bars_only(node) if back else self._build(node) for node in nodes]
        made = _joined(parts, lambda values: apply(*values))
        return made._replace(reach=made.reach + back, needs=made.needs + back)

    def _window(self, name: str, column: ast.expr, length: ast.expr) -> Part:
        inner, wanted, reduce = self._bars_only(column), self._build(length), _WINDOWS[name]
        # A length that moves with the bars, looked up at the newest of them, would let the others look ahead.
        count = float(_last(wanted.at(_NOTHING))) if wanted.fixed else float("nan")
        if not (1 <= count <= 5000 and count.is_integer()):
            raise RuleError(f"{self.text!r}: {name} takes a whole number of bars, 1..5000")
        window = int(count)
        back = window - 1
        return Part(lambda bars: _rolling(inner.at(bars), window, reduce), inner.reach + back, inner.needs + back)

    # -- saying ----------------------------------------------------------------------------------------------------

    def _compared(self, node: ast.expr) -> list[tuple[str, str, Part | None]]:
        """What stands between the signs of a comparison: sign before it, text, and what it is but for a number."""
        if not isinstance(node, ast.Compare):
            return []
        found: list[tuple[str, str, Part | None]] = []
        signs = ("", *(_SYMBOL[type(op)] for op in node.ops))
        for sign, operand in zip(signs, (node.left, *node.comparators), strict=True):
            if isinstance(operand, ast.Constant):
                value = operand.value
                found.append((sign, f"{value:g}" if isinstance(value, int | float) else str(value), None))
            else:
                found.append((sign, ast.unparse(operand), self._build(operand)))
        return found

    def _say(self, bars: Bars) -> str:
        words: list[str] = []
        for sign, text, part in self._shown:
            shown = text if part is None else f"{text} {_number(float(_last(part.at(bars))))}"
            words += [sign, shown] if sign else [shown]
        return " ".join(words) or self.text


def _joined(parts: list[Part], apply: Callable[[list[Any]], Any]) -> Part:
    """Parts of the same bars made into one."""
    return Part(
        lambda bars: apply([part.at(bars) for part in parts]),
        max((part.reach for part in parts), default=0),
        max((part.needs for part in parts), default=1),
        all(part.fixed for part in parts),
    )


def _depth(node: ast.AST) -> int:
    depth, level = 0, [node]
    while level:
        depth, level = depth + 1, [child for parent in level for child in ast.iter_child_nodes(parent)]
    return depth


def _last(value: Any) -> float:
    if isinstance(value, np.ndarray):
        return float(value.reshape(-1)[-1]) if value.size else float("nan")
    return float(value)


def _number(value: float) -> str:
    """Return six figures, and never an exponent where it is a number people read: a volume is 7302990."""
    text = f"{value:.6g}"
    return f"{value:.0f}" if "e+" in text else text


def _shift(value: Any, back: int) -> Any:
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return float("nan") if back else value
    if back == 0:
        return value
    shifted = np.full(value.shape, np.nan)
    shifted[back:] = value[:-back]
    return shifted


def _quiet(apply: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return apply(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))


def _where(value: Any, apply: Callable[[Any], Any]) -> Any:
    return np.where(np.isfinite(value), apply(value), np.nan)


def _fold(combine: Callable[[Any, Any], Any], values: list[Any]) -> Any:
    result = np.asarray(values[0], dtype=np.float64)
    for value in values[1:]:
        result = combine(result, np.asarray(value, dtype=np.float64))
    return result


def _crosses(first: Any, second: Any, sign: int) -> Any:
    gap = np.atleast_1d(_quiet(operator.sub, first, second)) * sign
    before = _shift(gap, 1)
    known = np.isfinite(gap) & np.isfinite(before)
    return np.where(known, (gap > 0) & (before <= 0), np.nan)


def _rolling(value: Any, window: int, reduce: Callable[[Column], Column]) -> Any:
    column = np.atleast_1d(np.asarray(value, dtype=np.float64))
    result = np.full(column.shape, np.nan)
    if window <= column.size:
        result[window - 1 :] = reduce(np.lib.stride_tricks.sliding_window_view(column, window))
    return result


_NOTHING: Final = Bars(columns={})
_WINDOWS: Final[dict[str, Callable[[Column], Column]]] = {
    "highest": lambda view: np.asarray(np.max(view, axis=1)),
    "lowest": lambda view: np.asarray(np.min(view, axis=1)),
    "mean": lambda view: np.asarray(np.mean(view, axis=1)),
}
"""Functions of a column and a number of bars."""
_FUNCTIONS: Final[dict[str, tuple[int, Callable[..., Any], int]]] = {
    "crosses_above": (2, lambda a, b: _crosses(a, b, 1), 1),
    "crosses_below": (2, lambda a, b: _crosses(a, b, -1), 1),
    "either": (2, lambda a, b: np.where(np.isfinite(a), a, b), 0),
    "abs": (1, np.abs, 0),
    "min": (2, np.minimum, 0),
    "max": (2, np.maximum, 0),
}
"""How many arguments, what is made of them, and how many bars back it looks."""
