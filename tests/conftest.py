"""What every test may use: the data beside the repository, a private home, Qt without a screen."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before any Qt import; a developer who wants to see the windows sets QT_QPA_PLATFORM=xcb.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
# No test reaches the user's keyring; tests of secrets name the back end they start themselves.
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

# No deadlines: they are timed asserts. Derandomised, so that a red run is red again; the long campaign explores.
_quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=100, suppress_health_check=_quiet)
settings.register_profile("long", deadline=None, max_examples=2_000, print_blob=True, suppress_health_check=_quiet)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repo_dir() -> Path:
    """Return the root of the work tree."""
    return _ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder of genuine data beside the repository; skip where it is absent."""
    folder = _ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the genuine market data is not here: no folder `shared` beside the repository")
    return folder


@pytest.fixture(autouse=True)
def _private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test out of the user's own profile."""
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in [name for name in os.environ if name.upper().startswith("MARKET_AGENT__")]:
        monkeypatch.delenv(name)
