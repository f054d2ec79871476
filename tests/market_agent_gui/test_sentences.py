"""What the engine says is said in the user's language, and nothing is said that is not in the table."""

import ast
import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from engine.api.commands import CancelOrder, Receipt, Watch
from engine.api.rows import AlarmRow
from engine.collection.provider import DataKind
from engine.model.decision import PEOPLE, Autonomy, Denial, Mode
from engine.model.ids import OrderRef
from engine.model.instrument import InstrumentKind
from engine.model.market import DataType, Side
from engine.model.order import OrderState
from engine.model.report import LinkState
from engine.risk.rules.shape import FIELDS
from market_agent_gui.presenters.receipts import tell
from market_agent_gui.sentences import Sentences
from market_agent_gui.translate import Catalogue, Language, load_catalogue, load_sentences, say
from tests.engine.risk.edges import EDGES, Edge
from tests.support_gui.engine_sentences import LEFT_OUT_FILES, WINDOW_FILES, sentences, within
from widgets.banner_line import BannerLine
from widgets.objections import Objections
from widgets.words import told

SLOT = re.compile(r"\{\d+\}")
LATIN = re.compile(r"[A-Za-z]+(?:[._-][A-Za-z]+)*")
NOT_WORDS = {"AAPL", "MSFT", "XOM", "AUTO", "ETF", "TRAIL", "USD", "JPY", "EUR", "ext", "risk.what_if"}
"""Symbols, currencies, order types, and names in settings and orders."""
FOREIGN = ("not allowed", "a split")
"""What the broker of these worlds says, and a lock that a test gave its reason."""


@pytest.fixture(scope="module")
def russian() -> Sentences:
    return Catalogue("ru").sentences


@pytest.fixture
def language(qapp: QApplication):
    found = Language(qapp)
    yield found
    found.use("en")


def test_every_sentence_of_the_engine_is_translated(repo_dir: Path) -> None:
    known = load_sentences("ru").keys() | load_catalogue("ru").keys()
    missing = {text: place for text, place in sentences(repo_dir).items() if text not in known}
    assert missing == {}


def test_the_table_holds_no_sentence_that_nobody_says(repo_dir: Path) -> None:
    said = sentences(repo_dir)
    assert [text for text in load_sentences("ru") if SLOT.search(text) and text not in said] == []


def test_every_word_that_fills_a_slot_has_one_in_the_other_language(russian: Sentences) -> None:
    lower = {state.value.lower() for state in OrderState} | {part.replace("_", " ") for part in FIELDS}
    states = lower | {state.replace("_", " ") for state in lower}
    kinds = {kind.value for kind in InstrumentKind} - {"ETF"}
    types = {kind.name.lower().replace("_", " ") for kind in DataType if kind is not DataType.LIVE}
    words = states | kinds | types | {*DataKind, *LinkState, *Side, *PEOPLE} | {*Mode, *Autonomy} - {"AUTO"}
    assert sorted(word for word in map(str, words) if russian.say(word) == word) == []


def test_a_translation_has_the_same_slots_and_the_same_end() -> None:
    for text, other in load_sentences("ru").items():
        assert sorted(SLOT.findall(text)) == sorted(SLOT.findall(other)), text
        assert text.endswith(".") == other.endswith("."), text


def test_every_file_that_is_left_out_or_added_exists(repo_dir: Path) -> None:
    assert [name for name in (*LEFT_OUT_FILES, *WINDOW_FILES) if not (repo_dir / name).exists()] == []


def test_a_new_sentence_is_collected_wherever_it_stands() -> None:
    source = '''
"""A docstring is none."""
log.warning("a line of the log")
raise ValueError("a fault of a programmer")
async def far(self) -> "a | type":
    self._lamps.light("X", "red", f"The disk of {name!r} is full{' and hot' if hot else ''}.", you_can="Buy a disk.")
    raise BrokerError(f"no answer from {where}") from error
    return Receipt(ok=False, text="It was " "refused." if no else f"{n:.2f} of {m} left")
'''
    assert [text for _, text in within(ast.parse(source))] == [
        "The disk of {1} is full{2}.",
        "and hot",
        "Buy a disk.",
        "no answer from {1}",
        "It was refused.",
        "{1} of {2} left",
    ]


@pytest.mark.parametrize("edge", EDGES, ids=[f"{edge.code}-{edge.name}" for edge in EDGES])
def test_no_word_of_a_denial_of_the_gate_stays_english(edge: Edge, russian: Sentences) -> None:
    world, request = edge.build(True)
    verdict = world.gate.check(request)
    for denial in (*verdict.denials, *verdict.warnings):
        said = russian.say(denial.text)
        assert said != denial.text
        ours = said.replace(FOREIGN[0], "").replace(FOREIGN[1], "")
        assert [word for word in LATIN.findall(ours) if word not in NOT_WORDS] == [], said


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("The order is worth 120,000; the limit is 50,000.", "Сумма заявки 120\u2009000; лимит 50\u2009000."),
        (
            "AAPL is locked: our position is 5, the broker's is 6.",
            "AAPL закрыт для открытий: у нас позиция 5, у брокера 6.",
        ),
        (
            "Prices: 3 of 5 symbols have no fresh price, 2 of 5 symbols are delayed or frozen.",
            "Цены: 3 из 5 символов без свежей цены, 2 из 5 символов с задержкой или застыли.",
        ),
        (
            "Stopped. 3 of 4 cancels confirmed. Not confirmed yet: A-1, A-2.",
            "Остановлено. Подтверждено снятий: 3 из 4. Ещё не подтверждено: A-1, A-2.",
        ),
        (
            "Broker link lost (the gateway closed the connection). 3 orders unconfirmed.",
            "Связь с брокером потеряна (шлюз закрыл соединение). Заявок без подтверждения: 3.",
        ),
        (
            "Not above REDUCE_ONLY: the loss of the day is 3 %, the limit 2 %",
            "Не выше «только сокращение»: убыток за день 3 %, лимит 2 %",
        ),
        (
            "The gateway restarts at Sun 01:00 (weekly login).",
            "Шлюз перезапускается в вс 01:00 (еженедельный вход).",
        ),
        ("could not read open orders, positions", "не удалось прочитать: активные заявки, позиции"),
        ("an order is working", "есть активная заявка"),
        ("DRIFT our position is 100, the broker's is 150", "DRIFT у нас позиция 100, у брокера 150"),
        ("AAPL: our position is 100, the broker's is 150.", "AAPL: у нас позиция 100, у брокера 150."),
        (
            "AAPL is locked: DRIFT our position is 100, the broker's is 150",
            "AAPL закрыт для открытий: DRIFT у нас позиция 100, у брокера 150",
        ),
        (
            "order desk failed. Everything else goes on. (KeyError: 3)",
            "исполнение заявок: сбой. Остальное работает. (KeyError: 3)",
        ),
    ],
)
def test_a_sentence_is_said_with_its_numbers_its_parts_and_its_words(
    english: str, expected: str, russian: Sentences
) -> None:
    assert russian.say(english) == expected


@pytest.mark.parametrize(
    "foreign",
    [
        "201 Order rejected - reason: one of your accounts has lack of funds",
        "Acme closing its plant; 300 of 900 workers leave on Monday",
        "bought on the advice of a friend",
        "AAPL",
        "",
    ],
)
def test_text_that_is_not_ours_stays_as_it_is(foreign: str, russian: Sentences) -> None:
    assert russian.say(foreign) == foreign


def test_of_two_sentences_that_fit_the_one_with_more_words_wins() -> None:
    made = Sentences({"{1} failed: {2}": "B {1} {2}", "The watch of {1} failed: {2}": "A {1} {2}", "clock": "часы"})
    assert made.say("The watch of clock failed: it broke.") == "A часы it broke."
    assert made.say("clock failed: it broke") == "B часы it broke"


def test_a_known_sentence_beside_an_unknown_one_is_said() -> None:
    made = Sentences({"The symbol is locked.": "Закрыт."})
    assert made.say("Something new. The symbol is locked.") == "Something new. Закрыт."


def test_a_value_is_never_taken_for_a_pattern_or_a_slot() -> None:
    made = Sentences({"The limit {1} is missing.": "Нет лимита {1}."})
    assert made.say("The limit {2}(.*)\\1 is missing.") == "Нет лимита {2}(.*)\\1."


def test_a_sentence_is_looked_for_once() -> None:
    made = Sentences({"The limit {1} is missing.": "Нет лимита {1}."})
    for _ in range(3):
        made.say("The limit x is missing.")
    assert made.say.cache_info().hits == 2


def test_what_is_shown_already_is_said_again_in_the_other_language(qtbot, language: Language) -> None:
    objections, banner = Objections(), BannerLine()
    qtbot.addWidget(objections)
    qtbot.addWidget(banner)
    objections.show_items([Denial(code="G1", text="The order is worth 12; the limit is 5.")])
    slow = "The disk is slow: orders wait to be recorded."
    banner.apply([AlarmRow(key="X", severity="red", happened=slow)], (), True)
    language.use("ru")
    assert objections.texts == ["G1 запрет · Сумма заявки 12; лимит 5."]
    assert "Сумма заявки 12; лимит 5" in objections.accessibleName()
    assert banner.accessibleName() == "Диск медленный: заявки ждут записи."
    language.use("en")
    assert objections.texts == ["G1 denies · The order is worth 12; the limit is 5."]
    assert banner.accessibleName() == slow


def test_an_error_in_a_sentence_of_the_window_is_said_too(language: Language) -> None:
    language.use("ru")
    assert say("Not scanned: {reason}", reason=ValueError("A scan needs at least one rule.")).endswith(
        "Для отбора нужно хотя бы одно правило."
    )


def test_the_answer_to_a_command_is_told_in_the_language_of_the_window(language: Language) -> None:
    denial = Denial(code="LIMITS", text="The limit x is missing or not a number, so nothing is sent.")
    language.use("ru")
    assert tell(CancelOrder(ref=OrderRef("A-1")), Receipt(ok=False, text="There is no order A-1.")) == (
        "bad",
        "Снятие A-1: Заявки A-1 нет.",
    )
    assert tell(Watch(symbols=()), Receipt(ok=False, code="X", denials=(denial,))) == (
        "bad",
        "отказано: LIMITS Лимит x не задан или не число, поэтому ничего не отправляется.",
    )


def test_english_stays_english(qapp: QApplication) -> None:
    assert (
        told("The order is worth 120,000; the limit is 50,000.") == "The order is worth 120,000; the limit is 50,000."
    )
