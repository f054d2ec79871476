"""What stands after the start of an engine is no garbage."""

import gc

import main
from engine.runtime.engine import Engine


def test_while_an_engine_runs_no_collection_looks_through_what_stood_at_its_start(tmp_path, monkeypatch, capsys):
    frozen: list[int] = []

    async def run(self: Engine, seconds: float | None) -> None:
        frozen.append(gc.get_freeze_count())

    monkeypatch.setattr(Engine, "run", run)
    before = gc.get_freeze_count()
    main.main(["run", "--demo", "--quiet", "--seed", "3", "--symbols", "3", "--profile", str(tmp_path / "profile")])
    assert frozen[0] > before + 10_000
    assert gc.get_freeze_count() == 0
