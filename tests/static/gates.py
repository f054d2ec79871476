"""The rules a syntax tree can hold. Each gate takes one module and returns what breaks the rule."""

import ast
import re
from collections.abc import Mapping

from tests.static.source import Finding, Source, aliases, base, dotted, imported

# --- code out of data

_UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "nest_asyncio"}
_UNSAFE_CALLS = {
    "eval", "exec", "builtins.eval", "builtins.exec", "torch.load", "pandas.read_pickle",
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.full_load_all", "yaml.unsafe_load", "yaml.unsafe_load_all",
    "yaml.Loader", "yaml.UnsafeLoader", "yaml.FullLoader",
}  # fmt: skip


def unsafe_loading(source: Source) -> list[Finding]:
    """Nothing that can run code hidden in data."""
    names = aliases(source.tree)
    found = [
        source.finding(node, f"imports {module}")
        for node, module in imported(source.tree)
        if module.partition(".")[0] in _UNSAFE_MODULES
    ]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and (name := dotted(node, names)) in _UNSAFE_CALLS:
            found.append(source.finding(node, f"uses {name}"))
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("read_pickle", "to_pickle"):
                found.append(source.finding(node, f"calls {node.func.attr}"))
            for keyword in node.keywords:
                safe = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                if keyword.arg == "allow_pickle" and not safe:
                    found.append(source.finding(node, "allow_pickle is not False"))
    return found


# --- one clock, one seed

_RAW = re.compile(
    r"""(?x) time\.(time|monotonic|perf_counter|process_time|thread_time)(_ns)? | time\.(sleep|localtime|gmtime|ctime)
    | datetime\.datetime\.(now|utcnow|today) | datetime\.date\.today | pandas\.Timestamp\.(now|utcnow|today)
    | random\.\w+ | secrets\.\w+ | uuid\.uuid[14] | os\.urandom
    | numpy\.random\.(?!Generator$|SeedSequence$|PCG64$|PCG64DXSM$|Philox$|BitGenerator$|default_rng$)\w+
    | asyncio\.to_thread | threading\.(Thread|Timer) | concurrent\.futures\.ThreadPoolExecutor"""
)

EDGES: Mapping[str, tuple[str, str]] = {
    "engine/bus/clock.py": (r".*", "the live clock itself"),
    "engine/runtime/lag.py": (r"time\.monotonic", "the lag of the loop is real time, in a replay too"),
    "engine/runtime/vitals.py": (r"os\.urandom", "the salt of the PIN must not be predictable"),
    "engine/security/secrets.py": (r"os\.urandom", "salt and nonce of the encrypted file must not be predictable"),
    "engine/runtime/server.py": (r"secrets\.token_\w+", "the door's token must not be predictable"),
}
"""Path (or folder ending in /) -> names it may use, and why. Every entry must be needed; a test removes idle ones."""


def covers(edge: str, path: str) -> bool:
    """Say whether a declared edge is this module or a folder around it."""
    return path == edge or (edge.endswith("/") and path.startswith(edge))


def raw_time_and_chance(source: Source, edges: Mapping[str, tuple[str, str]] = EDGES) -> list[Finding]:
    """The engine takes a Clock, a seeded generator and ids from a counter: a day replayed gives the same decisions."""
    if not source.path.startswith("engine/"):
        return []
    allowed = [pattern for edge, (pattern, _) in edges.items() if covers(edge, source.path)]
    names = aliases(source.tree)
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = dotted(node, names)
            known = base(node) in names  # else it is a local variable of that name
            if known and name and _RAW.fullmatch(name) and not any(re.fullmatch(pattern, name) for pattern in allowed):
                found.append(source.finding(node, f"uses {name}"))
        if isinstance(node, ast.Call) and dotted(node.func, names) == "numpy.random.default_rng":
            seed = node.args[:1] or [keyword.value for keyword in node.keywords]
            if not seed or (isinstance(seed[0], ast.Constant) and seed[0].value is None):
                found.append(source.finding(node, "default_rng without a seed"))
    return found


_ORDERLESS = {"list", "tuple", "enumerate", "iter", "next", "zip", "map", "filter", "dict.fromkeys"}


def set_iteration(source: Source) -> list[Finding]:
    """The order of a set of strings differs from process to process; the engine sorts it first."""
    if not source.path.startswith("engine/"):
        return []
    names = aliases(source.tree)

    def is_set(node: ast.expr) -> bool:
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        return isinstance(node, ast.Call) and dotted(node.func, names) in ("set", "frozenset") and bool(node.args)

    found = []
    for node in ast.walk(source.tree):
        iterated: list[ast.expr] = []
        if isinstance(node, ast.For | ast.AsyncFor):
            iterated = [node.iter]
        elif isinstance(node, ast.ListComp | ast.DictComp):
            iterated = [part.iter for part in node.generators]
        elif isinstance(node, ast.Call) and dotted(node.func, names) in _ORDERLESS:
            iterated = list(node.args)
        found += [source.finding(part, "takes a set in its own order; sort it") for part in iterated if is_set(part)]
    return found


# --- one loop

_STATIC_DIALOGS = {
    "QMessageBox": {"question", "information", "warning", "critical", "about", "aboutQt"},
    "QInputDialog": {"getText", "getMultiLineText", "getInt", "getDouble", "getItem"},
    "QFileDialog": {"getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory", "getOpenFileUrl"},
    "QColorDialog": {"getColor"},
    "QFontDialog": {"getFont"},
}


FIRST_LOOP = ("market_agent_gui/opening.py", "app.exec")
"""Runs Qt before the program's own loop exists; it refuses by itself when one runs."""


def nested_loops(source: Source) -> list[Finding]:
    """A loop inside a loop silently kills tasks of the outer one; dialogs `open()`, the presenter awaits `finished`."""
    names = aliases(source.tree)
    found = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        name = dotted(node, names) or (node.attr if isinstance(node, ast.Attribute) else "")
        *owners, last = name.split(".")
        if (source.path, ast.unparse(node)) == FIRST_LOOP:
            continue
        if isinstance(node, ast.Attribute) and last in ("exec", "exec_", "processEvents", "sendPostedEvents"):
            found.append(source.finding(node, f".{last}()"))
        if last == "QEventLoop" and owners[:1] != ["qasync"]:
            found.append(source.finding(node, "a nested QEventLoop"))
        if owners and last in _STATIC_DIALOGS.get(owners[-1], ()):
            found.append(source.finding(node, f"{owners[-1]}.{last} waits in a nested loop"))
    return found


# --- one way to the broker

PLACE_ORDER_HOME = "engine/execution/brokers/ibkr"
CLEARED_ORDER_MAKER = "engine/risk/gate.py"


def orders_elsewhere(source: Source) -> list[Finding]:
    """placeOrder stands in the IBKR adapter alone; a ClearedOrder is made by the gate alone."""
    names = aliases(source.tree)
    found = []
    for node in ast.walk(source.tree):
        word = node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
        if word in ("placeOrder", "place_order_raw") and not source.path.startswith(PLACE_ORDER_HOME):
            found.append(source.finding(node, "placeOrder outside the IBKR adapter"))
        if (
            isinstance(node, ast.Call)
            and (dotted(node.func, names) or "").rpartition(".")[2] == "ClearedOrder"
            and source.path != CLEARED_ORDER_MAKER
        ):
            found.append(source.finding(node, "makes a ClearedOrder outside the gate"))
    return found


# --- who imports whom, where import-linter has no word for it


def settings_imports(source: Source) -> list[Finding]:
    """`config` takes settings declarations alone from the parts; only main and its command line import `config`."""
    found = []
    for node, module in imported(source.tree):
        top = module.partition(".")[0]
        if source.path.startswith("config/"):
            declares = re.fullmatch(r"(engine(\.\w+)+|market_agent_gui)\.settings\.\w+", module)
            if top in ("engine", "widgets", "market_agent_gui", "resources") and not declares:
                found.append(source.finding(node, f"imports {module}; only `from engine.PART.settings import ...`"))
        elif top == "config" and source.path != "main.py" and not source.path.startswith("cli/"):
            found.append(source.finding(node, "imports config; settings are constructor arguments"))
    return found


def engine_internals_in_the_window(source: Source) -> list[Finding]:
    """The window knows the engine by `engine.api` and `engine.model` alone; the engine never knows the window."""
    top = source.path.partition("/")[0]
    found = []
    for node, module in imported(source.tree):
        parts = module.split(".")
        if (
            top in ("widgets", "market_agent_gui", "service")
            and parts[0] == "engine"
            and parts[1:2] not in (["api"], ["model"])
        ):
            found.append(source.finding(node, f"imports {module}; the window knows engine.api and engine.model"))
        if top in ("engine", "resources", "widgets") and parts[0] in ("market_agent_gui", "main", "cli"):
            found.append(source.finding(node, f"imports {module}, which stands above it"))
        if top in ("engine", "resources", "config") and parts[0] in ("widgets", "PySide6", "pyqtgraph", "qasync"):
            found.append(source.finding(node, f"imports {module}, which is the window's"))
        in_api = source.path.startswith("engine/api/")
        if in_api and parts[0] == "engine" and parts[1:2] not in (["api"], ["model"]):
            found.append(source.finding(node, f"imports {module}; engine.api knows engine.model alone"))
    return found


# --- the shape of a module


def init_holds_more_than_a_docstring(source: Source) -> list[Finding]:
    """`__init__.py` is a docstring and nothing else: importing a package runs nothing."""
    if not source.path.endswith("__init__.py"):
        return []
    body = source.tree.body
    if len(body) == 1 and isinstance(body[0], ast.Expr) and ast.get_docstring(source.tree):
        return []
    return [
        source.finding(body[1] if len(body) > 1 else source.tree, "__init__.py must be a docstring and nothing else")
    ]


def too_long(source: Source, limit: int = 500) -> list[Finding]:
    """A module is one noun; at 500 lines it is two."""
    lines = source.text.count("\n")
    return [Finding(source.path, lines, f"{lines} lines (at most {limit})")] if lines > limit else []


def swallowed(source: Source) -> list[Finding]:
    """No bare except; no broad except that does nothing."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            broad = isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
            idle = all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
            if node.type is None or (broad and idle):
                found.append(source.finding(node, "swallows every error"))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            for kind in node.args:
                if isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"):
                    found.append(source.finding(node, "swallows every error"))
    return found


# --- text of every kind of file

_HERE = re.compile(
    r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/[\w.]|[A-Z]:\\\\?Users\\|https?://[^\s\"'<>]*(?:pypi|pythonhosted|/simple/)"
    r"|--(?:extra-)?index-url[ =]\S|--find-links[ =]\S"
)


def tells_where_it_was_made(path: str, text: str) -> list[Finding]:
    """No path of a developer's machine and no address of a package index in any file."""
    return [
        Finding(path, text.count("\n", 0, match.start()) + 1, f"holds {match.group()!r}")
        for match in _HERE.finditer(text)
    ]
