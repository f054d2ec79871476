"""Seeded weeks of trouble in virtual time: invariants I1 to I12, and T-P2, the same seed gives the same journal."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.campaign import FAULTS, Campaign
from tests.support.simloop import SimLoop, simulate


def week(folder: Path, seed: int, days: int = 5) -> tuple[str, Counter[str]]:
    fired: Counter[str] = Counter()

    async def main(loop: SimLoop) -> str:
        campaign = Campaign(loop, folder, seed)
        digest = await campaign.run(days)
        fired.update(campaign.fired)
        return digest

    folder.mkdir(parents=True, exist_ok=True)
    return simulate(seed, main), fired


def test_seeded_weeks_keep_every_invariant_and_every_fault_fires(tmp_path: Path) -> None:
    fired: Counter[str] = Counter()
    for seed in range(3):
        fired += week(tmp_path / str(seed), seed, days=1)[1]
    assert {name for name in FAULTS if not fired[name]} == set(), "a fault that never fires proves nothing"


@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_seeded_weeks(tmp_path: Path, block: int) -> None:
    for seed in range(100 + block * 100, 200 + block * 100):
        week(tmp_path / str(seed), seed)


def test_t_p2_the_same_seed_gives_the_same_journal_in_two_fresh_processes(tmp_path: Path, repo_dir: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.engine.execution.test_campaign import week; "
        "print(week(Path(sys.argv[1]), 7, 1)[0])"
    )
    digests = set()
    for n in range(2):
        environment = {**os.environ, "PYTHONPATH": str(repo_dir), "PYTHONHASHSEED": str(n + 1)}
        command = [sys.executable, "-c", program, str(tmp_path / str(n))]
        ran = subprocess.run(command, cwd=repo_dir, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        digests.add(ran.stdout.strip())
    assert len(digests) == 1


def test_the_simulated_loop_finds_a_race_and_repeats_it() -> None:
    """A check, an await, then a reservation: the classic way to break a limit. The loop must find it."""
    import asyncio

    async def main(loop: SimLoop) -> list[int]:
        used = [0]

        async def reserve() -> None:
            if used[0] + 60 <= 100:
                await asyncio.sleep(0.001)
                used[0] += 60

        await asyncio.gather(*(reserve() for _ in range(3)))
        return used

    assert simulate(1, main) == simulate(1, main) == [180]
