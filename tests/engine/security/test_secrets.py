"""T-C1: secrets are kept safely or not at all, and show up nowhere."""

import io
import json
import logging
import pickle
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import structlog

from engine.bus.errors import IntegrityError, SettingsError, UserError
from engine.memory.files import atomic_write
from engine.security.redaction import RedactingFilter, Redactor, export_cell, structlog_processor
from engine.security.secret import Secret
from engine.security.secrets import ALLOWED_BACKENDS, EncryptedFileStore, KeyringStore, check_backend, resolve
from tests.engine.memory.rig import NOW, open_journal

CANARIES = ("sk-live-CANARYabc123", "pin 48151623", "hunter2/with+odd=chars&", "pässwörd-canary")


def backend(name: str, **members: Any) -> Any:
    module, _, kind = name.rpartition(".")
    made = type(kind, (), {"__module__": module, **members})
    return made()


class FakeVault:
    """Passwords of a good keyring."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


class Keyring(FakeVault):
    pass


Keyring.__module__ = "keyring.backends.SecretService"


@pytest.mark.parametrize(
    "name",
    [
        "keyring.backends.null.Keyring",
        "keyring.backends.fail.Keyring",
        "keyrings.alt.file.PlaintextKeyring",
        "keyrings.alt.file.EncryptedKeyring",
        "somewhere.Mine",
    ],
)
def test_t_c1_a_keyring_that_is_not_safe_is_refused_by_name(name: str) -> None:
    with pytest.raises(UserError, match=name.replace(".", r"\.")) as refused:
        check_backend(backend(name))
    assert "file" not in str(refused.value).replace(name, ""), "what the settings cannot name is not advised"


def test_t_c1_a_chain_of_keyrings_is_as_good_as_its_worst() -> None:
    good = [backend(name) for name in sorted(ALLOWED_BACKENDS)]
    chain = "keyring.backends.chainer.ChainerBackend"
    check_backend(backend(chain, backends=good))
    with pytest.raises(UserError):
        check_backend(backend(chain, backends=[*good, backend("keyrings.alt.file.PlaintextKeyring")]))
    with pytest.raises(UserError):
        check_backend(backend(chain, backends=[]))


def test_t_c1_the_keyring_of_this_machine_is_judged_too() -> None:
    with pytest.raises(UserError):
        KeyringStore("paper")


def test_a_keyring_keeps_lists_and_forgets_and_profiles_are_apart() -> None:
    vault = Keyring()
    paper, live = KeyringStore("paper", vault), KeyringStore("live", vault)
    paper.set("polygon", Secret("abc"))
    assert paper.get("polygon") == Secret("abc")
    assert live.get("polygon") is None
    assert (paper.names(), live.names()) == (("polygon",), ())
    paper.delete("polygon")
    assert paper.get("polygon") is None
    with pytest.raises(UserError, match="no secret named polygon"):
        paper.delete("polygon")


def test_a_keyring_that_silently_drops_a_secret_is_found_out() -> None:
    vault = Keyring()
    vault.set_password = lambda *parts: None  # type: ignore[method-assign]
    with pytest.raises(UserError, match="does not give it back"):
        KeyringStore("paper", vault).set("polygon", Secret("abc"))


def test_the_encrypted_file_keeps_secrets_under_a_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "secrets.bin"
    store = EncryptedFileStore(path, Secret("correct horse"), atomic_write)
    for n, canary in enumerate(CANARIES):
        store.set(f"s{n}", Secret(canary))
    raw = path.read_bytes()
    assert not any(canary.encode() in raw for canary in CANARIES)
    assert path.stat().st_mode & 0o777 == 0o600
    again = EncryptedFileStore(path, Secret("correct horse"), atomic_write)
    assert again.names() == ("s0", "s1", "s2", "s3")
    assert again.get("s0") == Secret(CANARIES[0])
    again.delete("s0")
    assert again.get("s0") is None
    with pytest.raises(UserError, match="passphrase"):
        EncryptedFileStore(path, Secret("wrong"), atomic_write)
    path.chmod(0o644)
    with pytest.raises(UserError, match="read by others"):
        EncryptedFileStore(path, Secret("correct horse"), atomic_write)


def test_t_d1_the_file_of_secrets_cut_or_flipped_anywhere_is_refused_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EncryptedFileStore, "_n", 2)  # the same code with a cheap key: every byte is tried
    path = tmp_path / "secrets.bin"
    EncryptedFileStore(path, Secret("p"), atomic_write).set("a", Secret("value"))
    whole = path.read_bytes()
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises((UserError, IntegrityError)):
                EncryptedFileStore(path, Secret("p"), atomic_write)
            assert path.read_bytes() == damaged


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(CANARIES[0])
    shown = f"{secret} {secret!r} {secret:>40} {[secret]} {(secret,)!s} {str(secret)!s}"
    assert CANARIES[0] not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(ValueError, match="empty"):
        Secret("")
    assert not hasattr(secret, "__dict__")


def test_references_resolve_or_say_what_is_missing() -> None:
    store = KeyringStore("paper", Keyring())
    store.set("polygon", Secret("abc"))
    assert resolve("keyring:polygon", store, {}) == Secret("abc")
    assert resolve("env:KEY", None, {"KEY": "xyz"}) == Secret("xyz")
    for reference, message in {
        "keyring:other": "secrets set other",
        "env:NONE": "NONE is not set",
        "vault:secret/a#key": "never as itself",
        "sk-live-CANARYabc123": "never as itself",
        "other:thing": "never as itself",
    }.items():
        with pytest.raises(SettingsError, match=message) as caught:
            resolve(reference, store, {})
        assert "CANARY" not in str(caught.value)
    with pytest.raises(SettingsError, match="no keyring"):
        resolve("keyring:polygon", None, {})


def canary_redactor() -> Redactor:
    redactor = Redactor()
    for canary in CANARIES:
        redactor.add(Secret(canary))
    redactor.add("U1234567")
    return redactor


def leak(text: str) -> list[str]:
    return [canary for canary in (*CANARIES, "U1234567") if canary in text]


def test_t_c1_no_canary_passes_the_standard_log_at_any_level_or_in_a_traceback() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter(canary_redactor()))
    logger = logging.getLogger("canary")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
            for canary in (*CANARIES, "U1234567"):
                logger.log(level, "value %s in %r", canary, {"key": canary})
                logger.log(level, f"inline {canary}", stack_info=True)
                try:
                    raise RuntimeError(f"failed with {canary}")
                except RuntimeError:
                    logger.exception("it failed: %s", canary)
    finally:
        logger.removeHandler(handler)
    assert leak(stream.getvalue()) == []
    assert "value ****" in stream.getvalue()


def test_t_c1_no_canary_passes_structlog() -> None:
    stream = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[structlog_processor(canary_redactor()), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.BoundLogger,
    )
    for canary in CANARIES:
        try:
            raise RuntimeError(canary)
        except RuntimeError as error:
            logger.msg("x", a=canary, b=[canary, {"c": canary}], d=canary.encode(), e=error, exc_info=error)
    assert leak(stream.getvalue()) == []


def test_t_c1_no_canary_reaches_the_journal_when_references_are_kept_instead(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.kv.set("settings", "keyring:polygon")
    journal.append_audit(1, NOW, "k", canary_redactor().clean(f"asked with {CANARIES[0]}"), "0", "h")
    journal.close()
    connection = sqlite3.connect(tmp_path / "journal.db")
    dump = "\n".join(connection.iterdump())
    connection.close()
    assert leak(dump) == []


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefgh12345678",
        "api_key=verysecretvalue&x=1",
        "https://h/v1?apiKey=verysecretvalue",
        '{"token": "verysecretvalue"}',
        "password: verysecretvalue",
        "redis://user:verysecretvalue@host/0",
        "sk-verysecretvalue123",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.verysecretvalue",
    ],
)
def test_t_c1_what_looks_like_a_secret_is_masked_though_nobody_named_it(text: str) -> None:
    cleaned = Redactor().clean(text)
    assert "verysecretvalue" not in cleaned
    assert "abcdefgh12345678" not in cleaned


def test_account_numbers_keep_their_last_four_digits() -> None:
    assert Redactor().clean("account DU1234567 and U7654321") == "account DU…4567 and U…4321"


def test_ordinary_text_is_left_alone_and_log_lines_cannot_be_forged() -> None:
    text = "buy AAPL 100 @ 190.10 stop 185 target 200 day"
    assert Redactor().clean(text) == text
    assert "\x1b" not in Redactor().clean("a\x1b[31mred\rover")


@pytest.mark.parametrize(("cell", "shown"), [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5.20", "-5.20"), ("AAPL", "AAPL")])
def test_exported_cells_are_no_formulas(cell: str, shown: str) -> None:
    assert export_cell(cell) == shown
