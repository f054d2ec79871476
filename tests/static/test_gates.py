"""Rules of the house that a machine holds; each gate is proven by a sample it must catch."""

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.static import gates
from tests.static.source import ROOT, Finding, Source, product

Gate = Callable[[Source], list[Finding]]

ALL: list[Gate] = [
    gates.unsafe_loading,
    gates.raw_time_and_chance,
    gates.set_iteration,
    gates.nested_loops,
    gates.orders_elsewhere,
    gates.settings_imports,
    gates.engine_internals_in_the_window,
    gates.init_holds_more_than_a_docstring,
    gates.too_long,
    gates.swallowed,
]


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    found = product()
    assert len(found) > 20, "the gates found no product to look at"
    return found


@pytest.mark.parametrize("gate", ALL, ids=lambda gate: gate.__name__)
def test_the_product_keeps_the_rule(gate: Gate, sources: list[Source]) -> None:
    assert [str(finding) for source in sources for finding in gate(source)] == []


BAD: list[tuple[Gate, str, str]] = [
    (gates.unsafe_loading, "engine/a.py", "import pickle"),
    (gates.unsafe_loading, "engine/a.py", "from joblib import load"),
    (gates.unsafe_loading, "widgets/a.py", "import nest_asyncio"),
    (gates.unsafe_loading, "engine/a.py", "import torch as t\nt.load('m')"),
    (gates.unsafe_loading, "engine/a.py", "eval('1')"),
    (gates.unsafe_loading, "engine/a.py", "exec('1')"),
    (gates.unsafe_loading, "engine/a.py", "run = eval"),
    (gates.unsafe_loading, "config/a.py", "import yaml\nyaml.load(f, Loader=yaml.SafeLoader)"),
    (gates.unsafe_loading, "config/a.py", "from yaml import load as read\nread(f)"),
    (gates.unsafe_loading, "engine/a.py", "import numpy as np\nnp.load(f, allow_pickle=True)"),
    (gates.unsafe_loading, "engine/a.py", "import numpy as np\nnp.load(f, allow_pickle=flag)"),
    (gates.unsafe_loading, "engine/a.py", "import pandas as pd\npd.read_pickle(f)"),
    (gates.raw_time_and_chance, "engine/a.py", "import time\ntime.time()"),
    (gates.raw_time_and_chance, "engine/a.py", "from time import monotonic_ns as now\ndef f(clock=now): ..."),
    (gates.raw_time_and_chance, "engine/a.py", "from datetime import datetime\ndatetime.now(tz)"),
    (gates.raw_time_and_chance, "engine/a.py", "import datetime as dt\ndt.datetime.utcnow()"),
    (gates.raw_time_and_chance, "engine/a.py", "import random\nrandom.random()"),
    (gates.raw_time_and_chance, "engine/a.py", "import numpy as np\nnp.random.normal()"),
    (gates.raw_time_and_chance, "engine/a.py", "import numpy as np\nnp.random.default_rng()"),
    (gates.raw_time_and_chance, "engine/a.py", "from numpy.random import default_rng\ndefault_rng(None)"),
    (gates.raw_time_and_chance, "engine/a.py", "import uuid\nuuid.uuid4()"),
    (gates.raw_time_and_chance, "engine/a.py", "import asyncio\nasync def f(): await asyncio.to_thread(g)"),
    (gates.raw_time_and_chance, "engine/a.py", "from threading import Thread\nThread(target=f).start()"),
    (gates.set_iteration, "engine/a.py", "for x in {'a', 'b'}: ..."),
    (gates.set_iteration, "engine/a.py", "rows = [f(x) for x in set(names)]"),
    (gates.set_iteration, "engine/a.py", "rows = list({f(x) for x in names})"),
    (gates.nested_loops, "widgets/a.py", "dialog.exec()"),
    (gates.nested_loops, "widgets/a.py", "make_menu().exec_(pos)"),
    (gates.nested_loops, "widgets/a.py", "app.exec()"),
    (gates.nested_loops, "market_agent_gui/opening.py", "dialog.exec()"),
    (
        gates.nested_loops,
        "widgets/a.py",
        "from PySide6.QtWidgets import QMessageBox as M\nM.question(None, '', '')",
    ),
    (gates.nested_loops, "widgets/a.py", "from PySide6 import QtWidgets as q\nq.QFileDialog.getOpenFileName()"),
    (gates.nested_loops, "main.py", "app.processEvents()"),
    (gates.nested_loops, "widgets/a.py", "from PySide6.QtCore import QEventLoop\nQEventLoop()"),
    (gates.orders_elsewhere, "engine/execution/order_desk.py", "self.ib.placeOrder(c, o)"),
    (gates.orders_elsewhere, "engine/execution/order_desk.py", "getattr(ib, 'placeOrder')(c, o)"),
    (gates.orders_elsewhere, "engine/approval/desk.py", "from engine.model.order import ClearedOrder\nClearedOrder(x)"),
    (gates.settings_imports, "config/a.py", "from engine.risk.gate import Gate"),
    (gates.settings_imports, "config/a.py", "import engine.risk.settings"),
    (gates.settings_imports, "engine/risk/a.py", "from config.settings import Settings"),
    (gates.engine_internals_in_the_window, "widgets/a.py", "from engine.risk.gate import Gate"),
    (gates.engine_internals_in_the_window, "market_agent_gui/a.py", "import engine.runtime.engine"),
    (gates.engine_internals_in_the_window, "widgets/a.py", "from engine import bus"),
    (gates.engine_internals_in_the_window, "widgets/a.py", "import market_agent_gui.bridge"),
    (gates.engine_internals_in_the_window, "engine/risk/a.py", "def f():\n    from PySide6 import QtCore"),
    (gates.engine_internals_in_the_window, "engine/api/a.py", "from engine.bus.clock import Clock"),
    (gates.init_holds_more_than_a_docstring, "engine/x/__init__.py", '"""Doc."""\nimport os'),
    (gates.init_holds_more_than_a_docstring, "engine/x/__init__.py", ""),
    (gates.too_long, "engine/a.py", "x = 1\n" * 501),
    (gates.swallowed, "engine/a.py", "try: f()\nexcept: raise"),
    (gates.swallowed, "engine/a.py", "try: f()\nexcept Exception: pass"),
    (gates.swallowed, "engine/a.py", "import contextlib\nwith contextlib.suppress(Exception): f()"),
]


@pytest.mark.parametrize(("gate", "path", "text"), BAD)
def test_a_breach_is_caught(gate: Gate, path: str, text: str) -> None:
    assert gate(Source.of(path, text)) != []


GOOD: list[tuple[Gate, str, str]] = [
    (gates.unsafe_loading, "engine/a.py", "import re\nre.compile('x')\nnp.load(f, allow_pickle=False)"),
    (gates.unsafe_loading, "config/a.py", "import yaml\nyaml.safe_load(f)\nyaml.compose(f)"),
    (gates.raw_time_and_chance, "engine/a.py", "import numpy as np\ndef f(rng: np.random.Generator): ..."),
    (gates.raw_time_and_chance, "engine/a.py", "from numpy.random import default_rng\ndefault_rng(seed)"),
    (gates.raw_time_and_chance, "engine/a.py", "def f(time, clock): return clock.now() - time.time"),
    (gates.raw_time_and_chance, "widgets/a.py", "import time\ntime.monotonic()"),
    (gates.set_iteration, "engine/a.py", "for x in sorted({'a', 'b'}): ...\nn = len(set(names))"),
    (gates.nested_loops, "market_agent_gui/opening.py", "app.exec()"),
    (gates.nested_loops, "widgets/a.py", "dialog.open()\nmenu.popup(pos)\nimport qasync\nqasync.QEventLoop(app)"),
    (gates.orders_elsewhere, "engine/execution/brokers/ibkr/adapter.py", "self.ib.placeOrder(c, o)"),
    (gates.settings_imports, "config/a.py", "from engine.risk.settings import RiskSettings"),
    (gates.settings_imports, "main.py", "from config.load import load"),
    (
        gates.engine_internals_in_the_window,
        "widgets/a.py",
        "from engine.api.frames import Frame\nimport engine.model.ids",
    ),
    (gates.swallowed, "engine/a.py", "try: f()\nexcept OSError: pass"),
]


@pytest.mark.parametrize(("gate", "path", "text"), GOOD)
def test_the_right_way_passes(gate: Gate, path: str, text: str) -> None:
    assert [str(finding) for finding in gate(Source.of(path, text))] == []


def test_every_declared_edge_is_needed(sources: list[Source]) -> None:
    idle = []
    for edge in gates.EDGES:
        without = {path: entry for path, entry in gates.EDGES.items() if path != edge}
        inside = [source for source in sources if gates.covers(edge, source.path)]
        if inside and not any(gates.raw_time_and_chance(source, without) for source in inside):
            idle.append(edge)
    assert idle == []


def test_packaging_is_not_a_python_package() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists(), "it would shadow PyPA's `packaging`"


def files_of_the_project() -> list[str]:
    """Return what git tracks; without git, what does not look like a tool's own folder."""
    if shutil.which("git"):
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
        if listed.returncode == 0:
            return [name for name in listed.stdout.decode().split("\0") if name]
    names = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file()]
    return [name for name in names if not re.search(r"(^|/)(\.(?!ci/)|__pycache__|build/|dist/|out/)", name)]


def test_no_file_tells_where_it_was_made() -> None:
    found = []
    for name in files_of_the_project():
        raw = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in raw[:8000] and name != "tests/static/test_gates.py":
            found += gates.tells_where_it_was_made(name, raw.decode("utf-8", "replace"))
    assert [str(finding) for finding in found] == []


@pytest.mark.parametrize(
    "text",
    [
        "open('/" + "work/main/x')",
        "/home/" + "ann/project",
        "cd /" + "root/x",
        "C:\\Users\\" + "Ann",
        "https://py" + "pi.org/simple",
        "pip --index-" + "url https://x.example",
    ],
)
def test_a_trace_of_a_machine_is_caught(text: str) -> None:
    assert gates.tells_where_it_was_made("a.md", text) != []


@pytest.mark.parametrize("text", ["engine/work/x", "tests/root/", "~/.local", "/home page", "https://docs.example/a"])
def test_an_innocent_path_passes(text: str) -> None:
    assert gates.tells_where_it_was_made("a.md", text) == []
