"""What is imported before the first window, and what a shipped module must never do."""

import subprocess
import sys
from pathlib import Path

ALLOWED = {
    "PySide6", "shiboken6", "shibokensupport", "signature_bootstrap", "typing_extensions", "qasync", "msgspec",
    "market_agent_gui", "widgets", "engine", "resources", "config",
}  # fmt: skip
HEAVY = {"numpy", "pandas", "numba", "pyqtgraph", "pydantic", "sqlalchemy", "pyarrow", "scipy", "yaml", "httpx2"}

SCRIPT = """
import sys, tempfile
from pathlib import Path
before = set(sys.modules)
from config.paths import open_profile
from market_agent_gui.app import make_application, use_theme
from market_agent_gui.opening import Opening, paint_first
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.translate import Language
app = make_application()
profile = open_profile(Path(tempfile.mkdtemp())).root
preferences = PreferencesFile(profile)
use_theme(app, preferences)
language = Language(app)
opening = Opening(profile)
opening.show()
paint_first(app, opening.window)
first = {name.partition(".")[0] for name in set(sys.modules) - before}
from market_agent_gui.session import PreciseLoop, Shell
loop = PreciseLoop(app)
shell = Shell(
    app, profile, ["false"], preferences, language, settings_file=profile / "s.yaml", opening=opening
)
assert shell.window is opening.window
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(" ".join(sorted(first)))
print(" ".join(sorted(top for top in tops if top not in sys.stdlib_module_names and not top.startswith("_"))))
print(" ".join(sorted(name for name in sys.modules if name.startswith("PySide6.Qt"))))
sys.stdout.flush()
import os
os._exit(0)
"""


def test_nothing_heavy_is_imported_before_the_window_and_no_loop_before_its_first_paint(repo_dir: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=repo_dir, capture_output=True, text=True, check=True, timeout=60
    )
    first, tops, qt = (set(line.split()) for line in run.stdout.splitlines()[-3:])
    # Of these none is needed for the first paint: rotating log files ask for sockets, times of day for zones.
    assert first & {"asyncio", "qasync", "ssl", "socket", "zoneinfo", "platformdirs"} == set()
    assert tops & HEAVY == set()
    assert tops - ALLOWED == set()
    assert qt <= {"PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets"}
