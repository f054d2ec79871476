"""A model must never meet a kernel it was not trained on."""

from pathlib import Path

import pytest

import engine.features.kernels
from engine.features import version
from engine.features.version import SOURCES, KernelSourceMissing, feature_version


@pytest.fixture(autouse=True)
def _no_memory():
    feature_version.cache_clear()
    yield
    feature_version.cache_clear()


def test_the_version_is_a_sha256_and_repeats() -> None:
    first = feature_version()
    feature_version.cache_clear()
    assert first == feature_version()
    assert len(first) == 64
    int(first, 16)


def test_every_file_of_the_kernel_is_part_of_the_version() -> None:
    folder = Path(engine.features.kernels.__file__).parent
    files = {f"engine.features.kernels.{f.stem}" for f in folder.glob("*.py") if f.stem != "__init__"}
    assert files | {"engine.features.kernel", "engine.features.jit"} == set(SOURCES)


@pytest.mark.parametrize("changed", SOURCES)
def test_one_changed_source_changes_the_version(changed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = feature_version()
    read = version._source
    monkeypatch.setattr(version, "_source", lambda m: read(m) + ("\n# x" if m == changed else ""))
    feature_version.cache_clear()
    assert feature_version() != before


def test_line_ends_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = feature_version()
    read = version._source
    monkeypatch.setattr(version, "_source", lambda m: read(m).replace("\n", "\r\n"))
    feature_version.cache_clear()
    assert feature_version() == before


def test_names_and_compiler_are_part_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {feature_version()}
    monkeypatch.setattr(version, "FEATURE_NAMES", ("OTHER", *version.FEATURE_NAMES[1:]))
    feature_version.cache_clear()
    seen.add(feature_version())
    monkeypatch.setattr(version.importlib.metadata, "version", lambda name: "0.0")
    feature_version.cache_clear()
    seen.add(feature_version())
    assert len(seen) == 3


def test_an_installation_without_the_source_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(KernelSourceMissing, match=r"engine\.features\.jit"):
        feature_version()
    assert version.cache_tag() == 1
