"""Damaged records do not keep the engine from watching; they keep it from trading until a person has looked."""

from engine.bus.bell import Bell
from engine.bus.errors import IntegrityError
from engine.memory.database import Database
from engine.model.decision import Mode
from engine.risk.modes import ModeKeeper
from engine.security.audit import AuditChain


async def check_records(database: Database, audit: AuditChain, bell: Bell, modes: ModeKeeper) -> None:
    """Start the audit and look at how the journal was opened; whatever is damaged is told and lowers the mode."""

    def observe(code: str, happened: str, did: str, you_can: str) -> None:
        bell(code, "red", happened, did, you_can)
        modes.lower(Mode.OBSERVE, code.lower(), happened)

    recovery = database.recovery
    if recovery is not None:
        source = f"the backup {recovery.restored_from.name}" if recovery.restored_from else "nothing: it is new"
        observe(
            "DATABASE",
            f"The order journal was damaged ({recovery.reason}); it was set aside as {recovery.set_aside.name}.",
            f"It was restored from {source}. The engine only observes.",
            "Compare orders and positions with the broker, then raise the mode by hand.",
        )
    try:
        await audit.start()
    except IntegrityError as error:
        observe(
            "AUDIT",
            f"The record of what was done is damaged: {error}.",
            "The engine only observes.",
            "Run main.py audit verify, and compare with the broker.",
        )
