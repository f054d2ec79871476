"""The file of events: a full disk is told and does not end the run; a reader that went away does."""

import errno
import io

import pytest

from engine.bus.bus import Bus
from engine.model.events.book import Reconciled
from engine.model.events.system import Alarm
from engine.model.ids import AccountId
from engine.runtime.ledger_of_run import RunLedger


class Full(io.StringIO):
    """A file that takes one line."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        if self.getvalue():
            raise self.error
        return super().write(text)


@pytest.mark.parametrize(
    ("error", "ends", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 0, 1),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, 0),
    ],
)
def test_a_full_disk_does_not_end_the_run_and_a_reader_that_left_does(error: OSError, ends: int, told: int) -> None:
    stopped: list[bool] = []
    alarms: list[Alarm] = []
    bus = Bus(lambda *_: None)
    ledger = RunLedger(bus, Full(error), lambda: stopped.append(True))
    bus.subscribe(Alarm, alarms.append, owner="test")
    for n in range(4):
        bus.publish(Reconciled(ts_event=n, ts_init=n, account=AccountId("DU1"), orders=0, positions=0, changes=0))
    assert ledger.counts["Reconciled"] == 4
    assert len(stopped) == ends
    assert len(alarms) == told
    assert ledger.cut_short is bool(told)
    assert len(ledger.notes) == told
