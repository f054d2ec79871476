"""audit verify: is the record of what was done whole?"""

import argparse
import time
from pathlib import Path

import msgspec

from cli.talk import DONE, FAILED, complain, print_json
from engine.bus.clock import LiveClock
from engine.bus.errors import MarketAgentError
from engine.memory.database import JOURNAL_APPLICATION_ID, open_database
from engine.memory.files import atomic_write
from engine.memory.journal import Journal
from engine.memory.migrations.first import JOURNAL_MIGRATIONS
from engine.runtime.spec import REPLAY_FOLDER
from engine.runtime.storage import AUDIT_ANCHOR, JOURNAL_FILE
from engine.security.audit import Fault, FileAnchor, verify


def audit(profile: Path, args: argparse.Namespace) -> int:
    """Check the chain of the profile's journal against its anchor; of the last replay's too, where there is one."""
    homes = [home for home in (profile, profile / REPLAY_FOLDER) if (home / JOURNAL_FILE).exists()]
    if not homes:
        complain(f"{profile / JOURNAL_FILE} does not exist: nothing was recorded in this profile yet")
        return FAILED
    faults: list[Fault] = []
    count = 0
    for home in homes:
        try:
            found, rows = _check(home)
        except MarketAgentError as error:
            complain(f"{home / JOURNAL_FILE}: {error}")
            return FAILED
        faults += found
        count += rows
    if args.json:
        print_json(args.json, {"ok": not faults, "rows": count, "faults": [msgspec.to_builtins(f) for f in faults]})
    elif faults:
        for fault in faults:
            complain(str(fault))
    else:
        print(f"{count} rows, the chain is whole and reaches its anchor")
    return FAILED if faults else DONE


def _check(home: Path) -> tuple[list[Fault], int]:
    """Faults of one journal, and how many rows it has."""
    database = open_database(
        home / JOURNAL_FILE, application_id=JOURNAL_APPLICATION_ID, migrations=JOURNAL_MIGRATIONS, now_ns=time.time_ns()
    )
    try:
        journal = Journal(database, LiveClock())
        head = journal.audit_head()
        faults = verify(journal, FileAnchor(home / AUDIT_ANCHOR, atomic_write))
        return faults, head[0] if head is not None else 0
    finally:
        database.connection.close()
