"""Hooks over real sockets: signed, fresh, once; at most a suggestion, at every level of autonomy."""

import json
import time

import pytest

from engine.api.commands import SetAutonomy
from engine.model.decision import Autonomy
from engine.model.suggestion import SuggestionState
from service.hooks import WINDOW_S, signature
from tests.service.house import KEY, running

SIGNAL = {"symbol": "KO", "side": "buy", "comment": "breakout"}


def sign(key: bytes, raw: bytes, at: int) -> str:
    """The header that a sender writes."""
    return f"t={at},v1={signature(key, str(at), raw)}"


async def deliver(begun, body, *, name="tv", key=KEY, at=None, header=None):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = header if header is not None else sign(key, raw, int(time.time() if at is None else at))
    async with begun.client(None) as client:
        return await client.post(
            f"/hooks/{name}", content=raw, headers={"Content-Type": "application/json", "X-Signature": told}
        )


async def test_a_signed_delivery_is_a_suggestion_that_waits_with_its_source(begun):
    response = await deliver(begun, {**SIGNAL, "size": 12, "stop": "1.00"})
    assert response.status_code == 200, response.text
    told = response.json()
    assert (told["ok"], told["repeat"], told["state"]) == (True, False, "PENDING")
    made = begun.engine.parts.board.suggestion(told["suggestion_id"])
    assert (made.source, made.quantity, str(made.stop), made.evidence[0].text) == ("hook:tv", 12, "1.00", "breakout")
    assert begun.orders == {}


async def test_a_delivery_is_heard_once_however_often_it_comes(begun):
    now = int(time.time())
    answers = [(await deliver(begun, SIGNAL, at=now)).json() for _ in range(3)]
    assert [answer["repeat"] for answer in answers] == [False, True, True]
    assert len({answer["suggestion_id"] for answer in answers}) == 1
    assert len(begun.engine.parts.board.entries()) == 1
    other = (await deliver(begun, SIGNAL, at=now - 1)).json()
    assert other["suggestion_id"] != answers[0]["suggestion_id"]


async def test_no_delivery_is_carried_out_by_itself_not_even_at_auto(begun):
    assert (await begun.engine.arm_auto("cli", "test")).ok
    receipt = await begun.engine.parts.handler.handle(SetAutonomy(autonomy=Autonomy.AUTO, by="cli"))
    assert receipt.ok
    told = (await deliver(begun, SIGNAL)).json()
    assert told["state"] == "PENDING"
    assert begun.engine.parts.board.state(told["suggestion_id"]) is SuggestionState.PENDING
    assert not [o for o in begun.orders.values() if o.request.suggestion_id == told["suggestion_id"]]


async def test_what_is_not_signed_is_refused_in_the_same_words(begun):
    raw = json.dumps(SIGNAL).encode()
    now = int(time.time())
    good = sign(KEY, raw, now)
    answers = [
        await deliver(begun, raw, header=""),
        await deliver(begun, raw, header="t=1"),
        await deliver(begun, raw, header=good.upper()),
        await deliver(begun, raw, header=f"{good},v1=00"),
        await deliver(begun, raw, header=good[:-1]),
        await deliver(begun, raw, key=b"another key"),
        await deliver(begun, raw + b" ", header=good),
        await deliver(begun, raw, header=good.replace(f"t={now}", f"t={now + 1}")),
        await deliver(begun, raw, name="nobody"),
        await deliver(begun, raw, name="nobody", key=b"no hook of that name has a key"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "SIGNATURE")}
    assert len({answer.text for answer in answers}) == 1
    assert begun.engine.parts.board.entries() == []


@pytest.mark.parametrize("off", [-WINDOW_S - 5, WINDOW_S + 5])
async def test_an_old_delivery_and_one_of_the_future_are_refused(begun, off):
    response = await deliver(begun, SIGNAL, at=time.time() + off)
    assert (response.status_code, response.json()["code"]) == (401, "TIME")
    assert begun.engine.parts.board.entries() == []


async def test_foreign_text_arrives_plain_and_short_and_a_refusal_tells_nothing_of_the_account(begun):
    text = "<b>buy</b> \u202enow\u202c \x07<img src=x>" + "y" * 1500
    told = (await deliver(begun, {**SIGNAL, "comment": text})).json()
    said = begun.engine.parts.board.suggestion(told["suggestion_id"]).evidence[0].text
    assert len(said) <= 200
    assert not set("<>\u202e\u202c\x07") & set(said)
    huge = await deliver(begun, {**SIGNAL, "symbol": "MSFT", "size": 900_000})
    assert set(huge.json()) == {"ok", "repeat", "suggestion_id", "state"}
    assert huge.json()["state"] == "DENIED"


async def test_a_signal_that_makes_no_sense_is_refused_by_field(begun):
    for body, word in (
        ({"symbol": "KO"}, "side"),
        ({**SIGNAL, "side": "hold"}, "side"),
        ({**SIGNAL, "size": "NaN"}, "size"),
        ({**SIGNAL, "stop": -1}, "stop"),
        ({**SIGNAL, "symbol": "../etc"}, "symbol"),
        ({**SIGNAL, "send": True}, "send"),
        ({**SIGNAL, "comment": "x" * 2001}, "comment"),
        (b"[" * 30_000, ""),
        (b"\xff\xfe", ""),
    ):
        response = await deliver(begun, body)
        assert response.status_code == 422, response.text
        assert word in response.json()["text"]
    assert begun.engine.parts.board.entries() == []


@pytest.mark.parametrize("body", [{**SIGNAL, "side": "buy\n"}, {**SIGNAL, "symbol": "KO\n"}])
async def test_a_line_feed_behind_a_word_is_named_and_breaks_nothing(begun, body):
    answer = await deliver(begun, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "BODY")


async def test_a_stranger_without_the_key_uses_up_nothing_of_the_senders_pace(tmp_path):
    async with running(tmp_path / "profile", service={"hook_requests_per_minute": 6.0}) as begun:
        answers = [await deliver(begun, SIGNAL, key=b"a guess") for _ in range(40)]
        assert {answer.status_code for answer in answers} == {401, 429}, "and is slowed down himself"
        assert (await deliver(begun, SIGNAL)).status_code == 200
        codes = [(await deliver(begun, {**SIGNAL, "comment": str(n)})).status_code for n in range(3)]
        assert 429 in codes, "the sender's own pace holds"


async def test_a_hook_is_asked_by_a_signed_post_alone(begun):
    async with begun.client(None) as stranger:
        assert (await stranger.get("/hooks/tv")).status_code == 401
    assert (await begun.http.get("/hooks/tv")).status_code == 405
