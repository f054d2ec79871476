"""The language of strategy rules: arithmetic, comparisons and indicators over bars; nothing else.

``ema(9) > ema(21)``, ``40 < rsi(14) < 70``, ``crosses_above(close, vwap())``, ``macd(12, 26, 9).histogram > 0``,
``close[1] < open[1]`` (one bar ago), ``either(vwap(), mean(close, 39))`` (the second where the first is unknown),
``RSV20 > 0.8`` (a feature of the vector). Python's parser reads the text; this module walks the tree and knows no
names but its own, so a rule can compute and cannot act.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

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
    features: Mapping[str, float | Column] = field(default_factory=dict)
    cache: dict[object, Mapping[str, Column]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """A rule's verdict on the newest bar. ``holds`` is False for anything unknown (NaN)."""

    holds: bool
    known: bool
    text: str
    """The rule with the numbers it saw: ``ema(9) 190.20 > ema(21) 189.90``."""


Eval = Callable[[Bars], Any]


class Rule:
    """One parsed rule."""

    def __init__(self, text: str, indicators: Indicators, features: frozenset[str] = frozenset()) -> None:
        self.text = text
        self._indicators = indicators
        self._features = features
        self.warmup = 1
        self.features: set[str] = set()
        """Features of the vector that it reads."""
        if len(text) > MOST_LETTERS:
            raise RuleError(f"A rule has at most {MOST_LETTERS} letters")
        try:
            tree = ast.parse(text.strip(), mode="eval")
            self._node = tree.body
            if _depth(tree.body) > DEEPEST:
                raise RuleError("A rule is nested too deeply")
            self._eval = self._build(tree.body)
        except SyntaxError as error:
            raise RuleError(f"cannot read {text!r}: {error.msg}") from error
        except (RecursionError, MemoryError, OverflowError, ValueError) as error:
            if isinstance(error, RuleError):
                raise
            raise RuleError(f"{text!r}: it cannot be computed") from error

    def check(self, bars: Bars) -> Outcome:
        """Judge the newest bar."""
        value = _last(self._eval(bars))
        known = bool(np.isfinite(value))
        return Outcome(holds=known and bool(value), known=known, text=self._say(bars))

    def value(self, bars: Bars) -> float:
        """The newest value of an arithmetic rule."""
        return float(_last(self._eval(bars)))

    def series(self, bars: Bars) -> Column:
        """Judge every bar: 1 holds, 0 does not, NaN unknown. Features may be given as columns."""
        value = np.asarray(self._eval(bars), dtype=np.float64).reshape(-1)
        count = len(bars.columns["close"])
        return np.full(count, value[0]) if value.size == 1 and count != 1 else value

    # -- building --------------------------------------------------------------------------------------------------

    def _build(self, node: ast.expr) -> Eval:
        match node:
            case ast.Constant(value=bool()):
                raise RuleError(f"{self.text!r}: True and False are no numbers")
            case ast.Constant(value=int() | float() as number):
                constant = float(number)
                return lambda bars: constant
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self._build(operand)
                return lambda bars: -inner(bars)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._build(operand)
                return lambda bars: _where(inner(bars), lambda v: 1.0 - (v != 0))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                first, second, apply = self._build(left), self._build(right), _BINARY[type(op)]
                return lambda bars: _quiet(apply, first(bars), second(bars))
            case ast.BoolOp(op=op, values=values):
                parts = [self._build(value) for value in values]
                combine = np.minimum if isinstance(op, ast.And) else np.maximum
                return lambda bars: _fold(combine, [part(bars) for part in parts])
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compare(left, ops, others)
            case ast.Subscript(value=inner_node, slice=ast.Constant(value=int() as back)):
                if not 0 <= back <= 500:
                    raise RuleError(f"{self.text!r}: [{back}] must be 0..500 bars ago")
                inner = self._bars_only(inner_node)
                self.warmup += back
                return lambda bars: _shift(inner(bars), back)
            case ast.Attribute(value=ast.Call() as call, attr=output):
                return self._call(call, output)
            case ast.Call():
                return self._call(node, "")
        raise RuleError(f"{self.text!r}: {ast.unparse(node)!r} is not part of the rule language")

    def _bars_only(self, node: ast.expr) -> Eval:
        """What looks at earlier bars cannot look at features: only those of the newest bar are known."""
        before = set(self.features)
        inner = self._build(node)
        if new := sorted(self.features - before):
            raise RuleError(f"{self.text!r}: {new[0]} is known for the newest bar alone")
        return inner

    def _name(self, name: str) -> Eval:
        if name in PRICES:
            return lambda bars: bars.columns[name]
        if name in self._features:
            self.features.add(name)
            return lambda bars: bars.features.get(name, float("nan"))
        raise RuleError(f"{self.text!r}: unknown name {name!r}")

    def _compare(self, left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr]) -> Eval:
        parts = [self._build(part) for part in (left, *others)]
        for op in ops:
            if type(op) not in _COMPARE:
                raise RuleError(f"{self.text!r}: only < <= > >= compare numbers")
        applies = [_COMPARE[type(op)] for op in ops]

        def evaluate(bars: Bars) -> Any:
            values = [part(bars) for part in parts]
            results = []
            for apply, first, second in zip(applies, values, values[1:], strict=False):
                known = np.isfinite(first) & np.isfinite(second)
                results.append(np.where(known, apply(first, second), np.nan))
            return _fold(np.minimum, results)

        return evaluate

    def _call(self, node: ast.Call, output: str) -> Eval:
        if not isinstance(node.func, ast.Name):
            raise RuleError(f"{self.text!r}: {ast.unparse(node.func)!r} is not callable")
        name = node.func.id
        if name in _FUNCTIONS:
            if node.keywords or output:
                raise RuleError(f"{self.text!r}: {name} takes plain arguments")
            count, apply, reach = _FUNCTIONS[name]
            build = self._bars_only if reach or name.startswith("crosses") else self._build
            around, self.warmup = self.warmup, 1
            arguments = [build(argument) for argument in node.args]
            if len(arguments) != count:
                raise RuleError(f"{self.text!r}: {name} takes {count} arguments")
            # What is looked back over has a beginning of its own: the average of an average needs the bars of both.
            self.warmup = max(around, self.warmup + (self._length(name, node.args[-1]) if reach else 0))
            return lambda bars: apply(*(argument(bars) for argument in arguments))
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
        self.warmup = max(self.warmup, self._indicators.warmup(name, params) + 2)
        key = (name, tuple(sorted((k, str(v)) for k, v in params.items())))

        def evaluate(bars: Bars) -> Column:
            found = bars.cache.get(key)
            if found is None:
                found = bars.cache[key] = self._indicators.compute(name, bars.columns, params)
            return found[chosen]

        return evaluate

    def _length(self, name: str, node: ast.expr) -> int:
        """How many bars a function looks back over; a length that changes from bar to bar means nothing."""
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value > 0:
            return node.value
        raise RuleError(f"{self.text!r}: the length of {name} must be a whole number of bars")

    # -- saying ----------------------------------------------------------------------------------------------------

    def _say(self, bars: Bars) -> str:
        node = self._node
        if isinstance(node, ast.Compare):
            words = [self._operand(node.left, bars)]
            for op, other in zip(node.ops, node.comparators, strict=True):
                words += [_SYMBOL[type(op)], self._operand(other, bars)]
            return " ".join(words)
        return self.text

    def _operand(self, node: ast.expr, bars: Bars) -> str:
        if isinstance(node, ast.Constant):
            return f"{node.value:g}" if isinstance(node.value, int | float) else str(node.value)
        value = float(_last(self._build(node)(bars)))
        return f"{ast.unparse(node)} {_number(value)}"


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


def _rolling(value: Any, length: float, reduce: Callable[..., Any]) -> Any:
    window = int(length)
    column = np.atleast_1d(np.asarray(value, dtype=np.float64))
    result = np.full(column.shape, np.nan)
    if 0 < window <= column.size:
        view = np.lib.stride_tricks.sliding_window_view(column, window)
        result[window - 1 :] = reduce(view, axis=1)
    return result


_FUNCTIONS: dict[str, tuple[int, Callable[..., Any], bool]] = {
    "crosses_above": (2, lambda a, b: _crosses(a, b, 1), False),
    "crosses_below": (2, lambda a, b: _crosses(a, b, -1), False),
    "highest": (2, lambda a, n: _rolling(a, n, np.max), True),
    "lowest": (2, lambda a, n: _rolling(a, n, np.min), True),
    "mean": (2, lambda a, n: _rolling(a, n, np.mean), True),
    "either": (2, lambda a, b: np.where(np.isfinite(a), a, b), False),
    "abs": (1, np.abs, False),
    "min": (2, np.minimum, False),
    "max": (2, np.maximum, False),
}
