"""Seeded weeks, one after the other, with a line of JSON for each; started again, it goes on where it ended.

``python -m tests.support.weeks 0 2000 weeks.jsonl`` runs the seeds that the file does not have yet and then says what
the file amounts to: weeks, faults that came to pass, violations.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.campaign import Campaign
from tests.support.simloop import SimLoop, simulate


def week(seed: int, days: int = 5, folder: Path | None = None) -> tuple[str, Counter[str]]:
    """Run one seed; return the hash of its journal and the faults that fired. Raises at the first violation."""
    fired: Counter[str] = Counter()

    async def main(loop: SimLoop) -> str:
        campaign = Campaign(loop, seed, folder)
        digest = await campaign.run(days)
        fired.update(campaign.fired)
        return digest

    return simulate(seed, main), fired


def line(seed: int) -> dict[str, Any]:
    """One week as a row of the file."""
    try:
        digest, fired = week(seed)
    except Exception as error:  # noqa: BLE001  a violation is what the campaign looks for: it is written down
        return {"seed": seed, "error": f"{type(error).__name__}: {error}"[:2000]}
    return {"seed": seed, "hash": digest, "fired": dict(fired)}


def rows(path: Path) -> dict[int, dict[str, Any]]:
    """What a file holds, by seed; the last line of a seed counts."""
    if not path.exists():
        return {}
    return {row["seed"]: row for row in map(json.loads, path.read_text().splitlines())}


def main(first: int, end: int, path: Path) -> int:
    """Run ``first`` to ``end`` (exclusive). Return the number of violations."""
    done = rows(path)
    with path.open("a") as file:
        for seed in range(first, end):
            if seed not in done:
                file.write(json.dumps(line(seed)) + "\n")
                file.flush()
    found = [row for seed, row in sorted(rows(path).items()) if first <= seed < end]
    fired: Counter[str] = Counter()
    for row in found:
        fired.update(row.get("fired", {}))
    broken = [row for row in found if "error" in row]
    print(f"{len(found)} weeks, {len(broken)} violations")
    print("\n".join(f"{count:8} {name}" for name, count in sorted(fired.items())))
    print("\n".join(f"seed {row['seed']}: {row['error'].splitlines()[0]}" for row in broken))
    return len(broken)


if __name__ == "__main__":
    sys.exit(min(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])), 1))
