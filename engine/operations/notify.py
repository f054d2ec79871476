"""A notification of the operating system, where there is one. Never waits, never fails loudly."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable

Run = Callable[[list[str]], object]


def _run(command: list[str]) -> object:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Notifier:
    """Shows a line outside the program's own windows."""

    def __init__(self, run: Run = _run, find: Callable[[str], str | None] = shutil.which) -> None:
        self._run, self._find = run, find
        self._shown: list[object] = []

    def notify(self, title: str, text: str) -> bool:
        """Show it; say whether there was anything to show it with."""
        command = self.command(title, text)
        if command is None:
            return False
        try:
            # Kept until the end, so that nobody complains of a child that was not waited for.
            self._shown.append(self._run(command))
        except OSError:
            return False
        return True

    def command(self, title: str, text: str) -> list[str] | None:
        """The command that shows it here, None when there is none. Arguments are never read by a shell."""
        if sys.platform == "darwin" and (tool := self._find("osascript")):
            return [tool, "-e", f"display notification {json.dumps(text)} with title {json.dumps(title)}"]
        if sys.platform == "win32" and (tool := self._find("msg")):
            return [tool, "*", f"{title}: {text}"]
        if tool := self._find("notify-send"):
            return [tool, "--urgency=critical", "--app-name=Market Agent", "--", title, text]
        return None
