"""The console's process: started, heard, typed to, interrupted. Whatever it does, the window goes on.

What it says is read at once and shown in bites: of a flood only the newest part is kept.
"""

import codecs
import os
import signal
from collections.abc import Sequence
from enum import Enum, auto

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from market_agent_gui.console_marks import Marks, question
from market_agent_gui.translate import say

BITE_MS = 50
MOST_WAITING = 64 * 1024
"""Letters kept between two bites."""


class End(Enum):
    """Why it does not run."""

    ENDED = auto()
    KILLED = auto()
    FAILED = auto()
    NOT_STARTED = auto()


class ConsoleProcess(QObject):
    """At most one process at a time."""

    said = Signal(str)
    completed = Signal(str, tuple)
    """What was asked with ``complete``, and what it can become."""
    changed = Signal()
    """It runs now, or does not any more; see ``running`` and ``told``."""

    def __init__(self, command: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = list(command)
        self._process: QProcess | None = None
        self._end: tuple[End, str] | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._waiting = ""
        self._left_out = 0
        self._again = False
        self._marks = Marks()
        self._ready = False
        self._bite = QTimer(self, singleShot=True, interval=BITE_MS)
        self._bite.timeout.connect(self._tell)

    @property
    def running(self) -> bool:
        return self._process is not None

    def told(self) -> str:
        """Say why it does not run; empty while it does, and before it ever did."""
        if self._end is None:
            return ""
        end, detail = self._end
        match end:
            case End.ENDED:
                return say("The console has ended.")
            case End.KILLED:
                return say("The console was ended.")
            case End.FAILED:
                return say("The console has failed (code {code}).", code=detail)
            case End.NOT_STARTED:
                return say("The console cannot be started: {reason}", reason=detail)

    def start(self) -> None:
        """Start it unless it runs."""
        if self._process is not None:
            return
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        environment.insert("PYTHONIOENCODING", "utf-8")
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._on_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._decoder.reset()
        self._marks.forget()
        self._ready = False
        self._process = process
        process.start(self._command[0], self._command[1:])
        self._ended(None)

    def type(self, line: str) -> None:
        """Hand it a line."""
        if self._process is not None:
            self._ready = False
            self._process.write(f"{line}\n".encode())

    def complete(self, word: str) -> None:
        """Ask what a word can become; nobody is asked while something runs."""
        if self._process is not None and self._ready:
            self._process.write(f"{question(word)}\n".encode())

    def interrupt(self) -> None:
        """End what runs in it. Where there is no such signal, the process ends."""
        process = self._process
        if process is None or not process.processId():
            return
        if os.name == "nt":
            process.kill()
        else:
            os.kill(process.processId(), signal.SIGINT)

    def restart(self) -> None:
        """Start it, or end the one that runs and start another."""
        if self._process is None:
            self.start()
        else:
            self._again = True
            self._process.kill()

    def close(self) -> None:
        """End it for good; does not wait."""
        process, self._process = self._process, None
        self._bite.stop()
        if process is not None:
            for signal_ in (process.readyReadStandardOutput, process.finished, process.errorOccurred):
                signal_.disconnect()
            process.finished.connect(process.deleteLater)
            process.kill()

    # --- heard

    def _on_output(self) -> None:
        process = self._process
        if process is None:
            return
        text, answers, ready = self._marks.take(self._decoder.decode(bytes(process.readAllStandardOutput().data())))
        self._waiting += text
        self._ready = self._ready or ready
        for word, names in answers:
            self.completed.emit(word, names)
        if len(self._waiting) > MOST_WAITING:
            self._left_out += len(self._waiting) - MOST_WAITING
            self._waiting = self._waiting[-MOST_WAITING:]
        if not self._bite.isActive():
            self._bite.start()

    def _tell(self) -> None:
        text, self._waiting = self._waiting, ""
        if self._left_out:
            text = "\n" + say("… {count} letters left out …", count=self._left_out) + f"\n{text}"
            self._left_out = 0
        if text:
            self.said.emit(text)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._on_output()
        self._tell()
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        if self._again:
            self._again = False
            self.start()
        elif status is QProcess.ExitStatus.CrashExit:
            self._ended((End.KILLED, ""))
        else:
            self._ended((End.FAILED if code else End.ENDED, str(code)))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            reason = self._process.errorString()
            self._process.deleteLater()
            self._process, self._again = None, False
            self._ended((End.NOT_STARTED, reason))

    def _ended(self, end: tuple[End, str] | None) -> None:
        self._end = end
        self.changed.emit()
