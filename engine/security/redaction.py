"""Keeps secrets and account numbers out of logs and reports: by value, as far as known, and by pattern."""

import logging
import re
import traceback
from collections.abc import MutableMapping
from typing import Any

from engine.security.secret import Secret

MASK = "****"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 " + MASK),
    (
        re.compile(
            r"""(?ix)\b([a-z0-9_.-]*(?:api[_-]?key|apikey|token|secret|passw(?:or)?d|passphrase|\bpin\b|private[_-]?key))
            (["']?\s*[=:]\s*["']?)([^\s"'&,;}]{3,})"""
        ),
        r"\1\2" + MASK,
    ),
    (re.compile(r"(?i)(://[^/\s:@]+:)[^/\s@]+@"), r"\1" + MASK + "@"),
    (re.compile(r"\b(?:sk|pk|rk|ghp|gho|xox[abp])[-_][A-Za-z0-9_-]{12,}\b"), MASK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"), MASK),
    (re.compile(r"\b(DU|DF|DI|U|F|I)(\d{1,6})(\d{4})\b"), r"\1…\3"),
)


class Redactor:
    """Knows values that must never appear, and what secrets look like."""

    least = 4
    """Shorter values are not masked by value: they would blank out ordinary text."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None

    def add(self, secret: Secret | str) -> None:
        """Mask this value from now on, also where it is quoted in a URL."""
        value = secret.reveal() if isinstance(secret, Secret) else secret
        if len(value) < self.least:
            return
        from urllib.parse import quote, quote_plus

        forms = {value, quote(value, safe=""), quote_plus(value), value.encode("unicode_escape").decode()}
        for form in sorted(forms):
            self._values[form] = MASK
        longest_first = sorted(self._values, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)))

    def clean(self, text: str) -> str:
        """The text without secrets, and without control characters that would forge a line of the log."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, mask in _PATTERNS:
            text = pattern.sub(mask, text)
        return "".join(c if c >= " " or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)

    def clean_value(self, value: Any) -> Any:
        """Clean inside containers too; what is not text is shown by its own words and cleaned."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, bool | int | float | None):
            return value
        if isinstance(value, bytes):
            return self.clean(value.decode("utf-8", "replace"))
        if isinstance(value, dict):
            return {self.clean(str(key)): self.clean_value(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean_value(item) for item in value]
        return self.clean(str(value))


class RedactingFilter(logging.Filter):
    """Cleans every record of the standard log: message, arguments, traceback. Attach it to the handlers."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._redactor.clean(record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self._redactor.clean("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = self._redactor.clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.clean(record.stack_info)
        return True


def structlog_processor(redactor: Redactor) -> Any:
    """A structlog processor that cleans every value; put it last before the renderer."""

    def clean(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event.get("exc_info"):
            info = event.pop("exc_info")
            if isinstance(info, BaseException):
                event["exception"] = "".join(traceback.format_exception(info))
            elif isinstance(info, tuple):
                event["exception"] = "".join(traceback.format_exception(*info))
            else:
                event["exception"] = traceback.format_exc()
        for key, value in list(event.items()):
            event[key] = redactor.clean_value(value)
        return event

    return clean


def export_cell(value: str) -> str:
    """A cell of an exported table that no spreadsheet takes for a formula."""
    return f"'{value}" if value[:1] in "=+-@\t\r" and not _NUMBER.match(value) else value


_NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?$")
