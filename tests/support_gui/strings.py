"""The English strings of the shell: every literal handed to ``say``, and the tables it translates."""

import ast
from pathlib import Path


def spoken(folder: Path, functions: tuple[str, ...] = ("say",)) -> set[str]:
    """Return every literal that one of ``functions`` is called with."""
    found = set()
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in functions
                and node.args
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def tables() -> set[str]:
    """Return the texts of the tables that are translated where they are shown."""
    from market_agent_gui import docks, engine_page, first_run
    from market_agent_gui.actions import ACTIONS, GROUPS
    from market_agent_gui.chart_pane import INTERVALS
    from market_agent_gui.head import QUEUE_KEYS
    from market_agent_gui.keys import card, rehearsal
    from market_agent_gui.presenters import approvals, modes
    from market_agent_gui.resolve_dialog import STATES

    found = {spec.title for spec in (*ACTIONS, *docks.DOCKS)} | set(GROUPS) | set(docks.TEMPLATES)
    found |= {label for _, label in INTERVALS.values()} | {text for _, text in (*QUEUE_KEYS, *card.QUEUE_KEYS)}
    found |= {*engine_page.TITLES.values(), *engine_page.ADVICE.values(), *first_run.PAGES, *STATES.values()}
    found |= {text for _, *texts in first_run.LEVELS for text in texts}
    found |= {*rehearsal.TITLES.values(), *rehearsal._FIXED.values(), *card._WHEN.values()}
    found |= {*approvals._DONE.values(), *modes.TITLES.values(), "BUY", "SELL", "entry", "stop", "target"}
    found |= {"PAPER", "LIVE", "REPLAY"}
    return found - {""}
