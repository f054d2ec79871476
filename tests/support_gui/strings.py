"""The English strings of the window: every literal handed to ``say`` or ``tr``, and the tables they translate."""

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
    from market_agent_gui import chart_pane, confirm_dialogs, docks, engine_page, first_run, scan_pane
    from market_agent_gui.actions import ACTIONS, GROUPS
    from market_agent_gui.chart_pane import INTERVALS
    from market_agent_gui.head import QUEUE_KEYS
    from market_agent_gui.keys import arming, card, fresh, global_stop, outside, rehearsal
    from market_agent_gui.presenters import approvals, modes
    from market_agent_gui.resolve_dialog import STATES
    from widgets.theme import theme_names

    found = {spec.title for spec in (*ACTIONS, *docks.BY_ID.values())} | set(GROUPS) | set(docks.TEMPLATES)
    found |= {label for _, label in INTERVALS.values()} | {text for _, text in (*QUEUE_KEYS, *card.QUEUE_KEYS)}
    found |= {*engine_page.TITLES.values(), *engine_page.ADVICE.values(), *first_run.PAGES, *STATES.values()}
    found |= {text for _, *texts in first_run.LEVELS for text in texts}
    found |= {text for texts in first_run.BROKERS for text in texts}
    found |= {*rehearsal.TITLES.values(), *rehearsal._FIXED.values(), *card._WHEN.values()}
    found |= {*approvals._DONE.values(), *modes.TITLES.values(), "BUY", "SELL", "entry", "stop", "target"}
    found |= {*outside.TITLES.values(), *outside._UNSURE.values(), *fresh.WHY.values(), *global_stop._NOT_HERE.values()}
    found |= {"PAPER", "LIVE", "REPLAY", *arming._CONTEXT}
    found |= {*confirm_dialogs.TITLES.values(), *confirm_dialogs.BOOK_TITLES.values()}
    found |= set(confirm_dialogs.WHEN_TITLES.values())
    found |= {title for title, _ in scan_pane.EXAMPLES} | {"■ STOP", "Show the window", "Quit…"}
    found |= {*chart_pane.STYLE_WORDS.values(), *chart_pane.AXIS_WORDS.values()}
    found |= {name.replace("-", " ").replace("_", " ").capitalize() for name in theme_names()}
    return found - {""}


def widget_tables() -> set[str]:
    """Return the texts of the tables of ``widgets``, and those words of the engine they show as they come."""
    from engine.api.commands import REASON_CODES
    from engine.model.market import SessionState
    from engine.model.suggestion import SuggestionState
    from widgets import (
        cells,
        dates,
        denial_table,
        drift_table,
        fill_table,
        limit_panel,
        log_view,
        mode_strip,
        news_list,
        order_blotter,
        position_table,
        quote_columns,
        scan_table,
        strategy_tables,
        suggestion_card,
        ticket_draft,
        ticket_preset,
        ticket_sentence,
    )

    new_york = cells.NEW_YORK
    columns = (
        *denial_table.denial_columns(new_york),
        *drift_table.drift_columns(new_york),
        *fill_table.fill_columns(new_york),
        *limit_panel.limit_columns(),
        *strategy_tables.STRATEGY_COLUMNS,
        *strategy_tables.SIGNAL_COLUMNS,
        *strategy_tables.RULE_COLUMNS,
        *log_view.log_columns(new_york),
        *news_list.news_columns(new_york),
        *order_blotter.order_columns(new_york),
        *position_table.position_columns(new_york),
        *quote_columns.COLUMNS,
        *scan_table.scan_columns(()),
    )
    found = {text for column in columns for text in (column.title, column.about)} - {"%"}
    found |= {*mode_strip.AUTONOMY_WORDS.values(), *mode_strip.AUTONOMY_ABOUT.values()}
    found |= {*mode_strip._MODE_WORDS.values(), *mode_strip._KINDS.values(), *mode_strip._MARKS}
    found |= {*ticket_sentence.TYPE_WORDS.values(), *ticket_sentence.TIF_WORDS.values(), *ticket_draft.SizeIn}
    found |= {*ticket_draft.AwayIn, *ticket_draft.TrailIn, *ticket_draft._NOT_PLACED.values()} - {"%"}
    found |= {*ticket_preset.KIND_WORDS.values()}
    found |= {*ticket_draft._NOT_RECKONED.values(), *suggestion_card._HORIZONS.values(), *REASON_CODES.values()}
    found |= {words for _, words, _ in order_blotter.STATES.values()} | {*cells.ORIGINS.values()}
    found |= {field.replace("_", " ") for field in order_blotter._FIELDS.values()}
    found |= {*SessionState, *SuggestionState}
    found |= {"pre-filter", "strategy", "gate", "approval", "broker", "entry", "stop", "target"}
    found |= {"no stop", "not confirmed", "stop at broker", "stop waits for the entry"}
    found |= {*dates.DAYS, *dates.MONTHS}
    return {str(text) for text in found} - {""}
