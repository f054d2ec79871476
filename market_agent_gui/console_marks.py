"""What the console and its pane tell each other between the lines, in control characters that no output shows.

After a prompt the console says that it waits for a line; only then the pane may ask what a beginning can become.
"""

import json
from collections.abc import Sequence

READY = "\x02\x05"
ASK = "\x10"
BEGIN, END = "\x02\x10", "\x10\x03"
MOST = 64 * 1024
"""Letters of an answer; what is longer is none."""

Answer = tuple[str, tuple[str, ...]]
"""What was asked for, and what it can become."""


def question(word: str) -> str:
    """The line that asks."""
    return f"{ASK}{json.dumps(word)}"


def asked(line: str) -> str | None:
    """Return what a line asks for; None where it is a line of Python."""
    if not line.startswith(ASK):
        return None
    try:
        word = json.loads(line[len(ASK) :])
    except ValueError:
        return ""
    return word if isinstance(word, str) else ""


def answer(word: str, names: Sequence[str]) -> str:
    """What the console says to it."""
    return f"{BEGIN}{json.dumps([word, *names])}{END}"


class Marks:
    """Takes marks out of an output that comes in pieces."""

    def __init__(self) -> None:
        self._held = ""

    def take(self, text: str) -> tuple[str, list[Answer], bool]:
        """Return what is to be shown, what was answered, and whether a line is waited for."""
        text, self._held = self._held + text, ""
        shown, answers = "", []
        while BEGIN in text:
            before, _, rest = text.partition(BEGIN)
            body, end, after = rest.partition(END)
            if not end and len(rest) <= MOST:
                text, self._held = before, BEGIN + rest
                break
            shown, text = shown + before, after if end else rest
            answers += _read(body) if end else []
        if not self._held and text.endswith(BEGIN[0]):
            text, self._held = text[:-1], BEGIN[0]
        shown += text
        return shown.replace(READY, ""), answers, READY in shown

    def forget(self) -> None:
        """Another process speaks."""
        self._held = ""


def _read(body: str) -> list[Answer]:
    try:
        told = json.loads(body)
    except ValueError:
        return []
    if not (isinstance(told, list) and told and all(isinstance(each, str) for each in told)):
        return []
    return [(told[0], tuple(told[1:]))]
