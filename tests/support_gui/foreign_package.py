"""A real installed package with a pane: files and a dist-info in a folder that is put on the path."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installed(folder: Path, package: str, entry_points: str, **modules: str) -> Iterator[Path]:
    """Install ``package`` with these modules into ``folder`` for a while; nothing of it is imported here."""
    code = folder / package
    code.mkdir(parents=True)
    (code / "__init__.py").write_text("")
    for name, text in modules.items():
        (code / f"{name}.py").write_text(text)
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    (info / "RECORD").write_text("")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
        importlib.invalidate_caches()
