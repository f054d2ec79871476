"""Loading settings: every mistake is named with file, line and key, and no secret is ever quoted."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import SettingsError
from config.load import keys, load, load_or_last_good, load_text
from config.settings import Settings
from config.store import keep_last_good, save, to_text

CANARY = "sk-live-CANARY-0123456789"


def refused(text: str, **layers: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_text(text, "s.yaml", **layers)  # type: ignore[arg-type]
    return str(caught.value)


def outcome(text: str, **layers: object) -> str:
    try:
        load_text(text, "s.yaml", **layers)  # type: ignore[arg-type]
    except SettingsError as error:
        return str(error)
    return "loaded"


def test_no_file_means_paper_money_and_asking_before_each_order() -> None:
    settings = load(None).settings
    assert (settings.mode, settings.autonomy, settings.broker.kind) == ("paper", "ask", "paper")


def test_the_documented_example_is_accepted_as_written() -> None:
    text = """
mode: paper                # paper | live
autonomy: ask              # observe | suggest | ask | ask_above_limits | auto
universe: [AAPL, MSFT]
broker: {kind: paper}      # paper | ibkr | alpaca
ibkr: {host: 127.0.0.1, port: 4002, client_id: 7, account: DU1234567}
providers:
  simulated: {enabled: true, seed: 1}
  polygon: {enabled: false, base_url: https://a.example, stream_url: wss://b.example, api_key: keyring:polygon}
llm: {provider: none, base_url: https://c.example, model: m, daily_budget_usd: 2}
database: {url: sqlite}
cache: {url: memory}
relay: {url: none}
metrics: {port: 0}
"""
    settings = load_text(text, "s.yaml").settings
    assert settings.providers.polygon.api_key == "keyring:polygon"
    assert settings.llm.daily_budget_usd == Decimal(2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode: paper\nunivers: [A]", "s.yaml, line 2, univers: is not a setting. Did you mean universe?"),
        (
            "broker:\n  kind: ibrk",
            "line 2, broker.kind: must be one of paper, ibkr, alpaca. Did you mean ibkr?",
        ),
        ("kind: ibkr", "line 1, kind: is not a setting. Did you mean broker.kind?"),
        ("ibkr:\n  port: '4002'", "line 2, ibkr.port: must be a valid integer"),
        ("ibkr:\n  port: true", "line 2, ibkr.port: must be a valid integer"),
        ("\n\nmetrics: {port: 70000}", "line 3, metrics.port: must be less than or equal to 65535"),
        ("metrics: {port: .nan}", "line 1, metrics.port: must be a finite number"),
        ("llm: {daily_budget_usd: 1e999}", "llm.daily_budget_usd: must be a finite number"),
        ("providers: {polygon: 3}", "providers.polygon: must be a group of keys"),
        ("mode: paper\nmode: paper", "line 2, mode: stands twice (first in line 1)"),
        ("universe: [AAPL, AAPL]", "universe: names AAPL more than once"),
        ("universe: [AAPL, aapl]", "line 1, universe.1: must be a ticker in capitals, such as AAPL, BRK.B or EUR.USD"),
        ("universe: []", "line 1, universe: must have at least 1 entry"),
        ("\nibkr: {account: du123}", "line 2, ibkr.account: must be the code of an account, such as DU1234567"),
        ("a: [", "line 1: is not valid YAML"),
        ("- a", "line 1: must be keys and values"),
        ("mode: !!python/object/apply:os.system [x]", "mode: must be one of"),
        ("[" * 3000, "is nested too deeply"),
        ("a: &a [1]\nb: [*a, *a]", "b.0: repeats another value by *alias"),
        ("providers: {iex_cloud: {enabled: true}}", "IEX Cloud closed on 31 August 2024"),
        ("providers: {polygon: {base_url: 'http://a.example'}}", "must begin with https://"),
        ("mode: live", "needs a real broker"),
        ("mode: paper\nbroker: {kind: ibkr}\nibkr: {account: U1234567}", "ibkr.account is a live account"),
        ("mode: live\nbroker: {kind: ibkr}\nibkr: {account: DU1234567}", "ibkr.account is a paper account"),
    ],
)
def test_a_mistake_is_named_with_its_file_line_and_key(text: str, message: str) -> None:
    assert message in refused(text)


def test_every_mistake_of_a_file_is_reported_at_once_in_its_order() -> None:
    lines = refused("metrics: {port: -1}\nmode: alive\nx: 1").splitlines()
    assert [line.split(", ")[1] for line in lines] == ["line 1", "line 2", "line 3"]


@pytest.mark.parametrize("symbol", ["NO", "ON", "Y", "N", "TRUE", "OFF", "NULL"])
def test_a_ticker_that_yaml_takes_for_a_boolean_stays_a_ticker(symbol: str) -> None:
    assert load_text(f"universe: [{symbol}]", "s.yaml").settings.universe == (symbol,)


@pytest.mark.parametrize(
    "text",
    [
        f"providers: {{polygon: {{api_key: {CANARY}}}}}",
        f"providers: {{polygon: {{api_key: 'keyring:{CANARY} x'}}}}",
        f"providers: {{polygon: {{apikey: {CANARY}}}}}",
        f"providers: {{polygon: {CANARY}}}",
        f"llm: {{api_key: [{CANARY}]}}",
        f"llm: {{api_key: *{CANARY}}}",
        f"llm: {{api_key: !{CANARY}! x}}",
        f'llm: {{api_key: "{CANARY}',
        f"relay: {{url: 'amqp://u:{CANARY}@mq.example/x'}}",
        f"database: {{url: 'postgresql+asyncpg://u:{CANARY}@db.example/x'}}",
        f"{CANARY}",
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_quoted(text: str) -> None:
    assert CANARY not in refused(text)


def test_a_literal_key_is_refused_with_the_command_that_stores_it() -> None:
    assert "python main.py secrets set NAME" in refused(f"providers: {{polygon: {{api_key: {CANARY}}}}}")


@pytest.mark.parametrize("reference", ["vault:secret/a#key", "aws:name#key"])
def test_a_place_that_this_version_does_not_read_is_refused_when_the_file_is_read(reference: str) -> None:
    said = refused(f"providers: {{polygon: {{api_key: '{reference}'}}}}")
    assert "keyring:NAME or env:NAME" in said
    assert "holds the secret itself" not in said


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("risk: {what_if: maybe}", "required, full_value"),
        ("risk: {day_trade_regime: none}", "auto, legacy_pdt, intraday_margin"),
        ("paper: {queue: fast}", "risk_averse, proportional"),
    ],
)
def test_one_of_a_few_words_is_named_with_the_words(text: str, allowed: str) -> None:
    assert f"must be one of {allowed}" in refused(text)


def test_no_text_of_the_settings_offers_what_this_version_refuses() -> None:
    from config.generate_docs import render

    text = render().lower()
    for word in ("vault", "aws:", "postgres"):
        assert word not in text


def test_the_command_line_wins_over_the_environment_over_the_file() -> None:
    environment = {"MARKET_AGENT__BROKER__KIND": "alpaca", "MARKET_AGENT__UNIVERSE": "[ON, SPY]"}
    loaded = load_text(
        "broker: {kind: ibkr}\nautonomy: auto", "s", environment=environment, overrides={"autonomy": "observe"}
    ).settings
    assert (loaded.broker.kind, loaded.universe, loaded.autonomy) == ("alpaca", ("ON", "SPY"), "observe")


def test_a_mistake_in_the_environment_names_the_variable() -> None:
    message = refused("", environment={"MARKET_AGENT__BROKER__KIN": "ibkr"})
    assert message.startswith("environment variable MARKET_AGENT__BROKER__KIN, broker.kin: is not a setting.")


def test_an_old_key_is_carried_over_with_a_note_and_keeps_its_line_for_mistakes() -> None:
    loaded = load_text("providers:\n  massive: {enabled: true}", "s.yaml")
    assert loaded.settings.providers.polygon.enabled
    assert loaded.notes == ("s.yaml, line 2: providers.massive is called providers.polygon now; please rename it.",)
    assert "line 3, providers.polygon.enabled" in refused("providers:\n  massive:\n    enabled: 7")


def test_an_old_key_beside_its_new_name_is_refused() -> None:
    assert "both are given" in refused("providers: {massive: {enabled: true}, polygon: {}}")


def test_every_documented_key_can_be_reached_from_the_environment() -> None:
    for dotted in keys(Settings):
        name = "MARKET_AGENT__" + dotted.upper().replace(".", "__")
        assert "is not a setting" not in outcome("", environment={name: "{}"}), dotted


def test_a_settings_file_cut_at_any_byte_is_an_error_and_never_half_read(tmp_path: Path) -> None:
    wanted = load_text("universe: [AAPL, 'BRK.B', NVDA]\nibkr: {port: 4001}\nmetrics: {port: 9100}", "s").settings
    whole = to_text(wanted).encode()
    file = tmp_path / "settings.yaml"
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        if whole[:length].rstrip() == whole.rstrip():
            continue
        with pytest.raises(SettingsError):
            load(file)


def test_a_file_with_any_byte_flipped_gives_settings_or_an_error_and_never_a_crash(tmp_path: Path) -> None:
    whole = to_text(load_text("universe: [AAPL]\nmetrics: {port: 9100}", "s").settings).encode()
    file = tmp_path / "settings.yaml"
    outcomes = set()
    for position in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            file.write_bytes(damaged)
            try:
                outcomes.add(type(load(file)).__name__)
            except SettingsError:
                outcomes.add("refused")
    assert outcomes == {"Loaded", "refused"}


@given(st.text(max_size=200))
def test_no_text_at_all_crashes_the_loader(text: str) -> None:
    assert outcome(text).startswith(("loaded", "s.yaml"))


def test_a_damaged_file_falls_back_to_the_last_good_one_and_only_observes(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    save(file, load_text("autonomy: auto\nuniverse: [SPY]", "s").settings)
    file.write_text("autonomy: [")
    loaded = load_or_last_good(file)
    assert loaded.settings.universe == ("SPY",)
    assert loaded.settings.autonomy == "observe"
    assert loaded.problem is not None
    assert file.read_text() == "autonomy: [", "the damaged file is evidence"


def test_a_damaged_file_without_a_good_copy_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("autonomy: [")
    with pytest.raises(SettingsError):
        load_or_last_good(file)


def test_a_damaged_good_copy_reports_the_file_and_not_the_copy(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("mode: alive")
    (tmp_path / "settings.yaml.last-good").write_text("broken: [")
    with pytest.raises(SettingsError, match=r"settings\.yaml, line 1, mode"):
        load_or_last_good(file)


def test_a_hand_written_file_can_become_the_last_good_one(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("# mine\nuniverse: [QQQ]\n")
    load(file)
    keep_last_good(file)
    file.write_bytes(b"\xff\xfe")
    assert load_or_last_good(file).settings.universe == ("QQQ",)


def test_an_empty_file_is_refused_for_it_may_have_been_cut_to_nothing(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("\n")
    with pytest.raises(SettingsError, match="is empty"):
        load(file)


def test_a_file_that_others_may_change_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "settings.yaml"
    file.write_text("mode: paper\n")
    file.chmod(0o666)
    with pytest.raises(SettingsError, match="chmod go-w"):
        load(file)
