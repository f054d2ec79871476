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
from engine.runtime.storage import AUDIT_ANCHOR, JOURNAL_FILE
from engine.security.audit import FileAnchor, verify


def audit(profile: Path, args: argparse.Namespace) -> int:
    """Check the chain of the profile's journal against its anchor."""
    path = profile / JOURNAL_FILE
    if not path.exists():
        complain(f"{path} does not exist: nothing was recorded in this profile yet")
        return FAILED
    try:
        database = open_database(
            path, application_id=JOURNAL_APPLICATION_ID, migrations=JOURNAL_MIGRATIONS, now_ns=time.time_ns()
        )
    except MarketAgentError as error:
        complain(str(error))
        return FAILED
    try:
        journal = Journal(database, LiveClock())
        faults = verify(journal, FileAnchor(profile / AUDIT_ANCHOR, atomic_write))
        head = journal.audit_head()
    finally:
        database.connection.close()
    count = head[0] if head is not None else 0
    if args.json:
        print_json(args.json, {"ok": not faults, "rows": count, "faults": [msgspec.to_builtins(f) for f in faults]})
    elif faults:
        for fault in faults:
            complain(str(fault))
    else:
        print(f"{count} rows, the chain is whole and reaches its anchor")
    return FAILED if faults else DONE
