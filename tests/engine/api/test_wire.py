"""Every message survives the wire; what is not a message is refused."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import commands, frames, rows
from engine.api.wire import Call, Follow, Hello, pack, unpack_down, unpack_up
from engine.model.decision import Denial, LimitUse
from engine.model.market import Side
from engine.model.order import OrderRequest

SAMPLES = {
    "str": "x",
    "int": 7,
    "float": 1.5,
    "bool": True,
    "bytes": b"\x00\x01",
    "Decimal": Decimal("190.10"),
}


def sample(kind: type) -> msgspec.Struct:
    """Build a struct with something in every required field."""
    values = {}
    for field in msgspec.structs.fields(kind):
        if field.required:
            values[field.name] = value_of(field.type)
    return kind(**values)


def value_of(kind: object) -> object:
    kind = getattr(kind, "__supertype__", kind)
    if kind is OrderRequest:
        return OrderRequest(intent_id="i", symbol="AAPL", side=Side.BUY, quantity=Decimal(1))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return sample(kind)
    if hasattr(kind, "__members__"):
        return next(iter(kind))
    name = getattr(kind, "__name__", "")
    if name in SAMPLES:
        return SAMPLES[name]
    origin = getattr(kind, "__origin__", None)
    if origin is tuple:
        return ()
    if origin is dict:
        return {}
    arguments = getattr(kind, "__args__", ())
    if arguments:
        return value_of(arguments[0])
    raise AssertionError(f"no sample for {kind}")


@pytest.mark.parametrize("kind", commands.AnyCommand.__args__, ids=lambda kind: kind.__name__)
def test_every_command_survives_the_wire(kind):
    call = Call(id=3, command=sample(kind))
    assert unpack_down(pack(call)[4:]) == call


@pytest.mark.parametrize("kind", rows.AnyRow.__args__, ids=lambda kind: kind.__name__)
def test_every_row_survives_the_wire(kind):
    message = frames.RowsChanged(table="t", rows=(sample(kind),), removed=("k",))
    decoded = unpack_up(pack(message)[4:])
    assert pack(decoded) == pack(message)
    assert type(decoded.rows[0]) is kind


@pytest.mark.parametrize("kind", frames.AnyUp.__args__, ids=lambda kind: kind.__name__)
def test_every_message_up_survives_the_wire(kind):
    message = sample(kind)
    assert unpack_up(pack(message)[4:]) == message


def test_the_control_messages_survive_the_wire():
    for message in (Hello(token="t"), Follow(tables=("orders",), bars=(("AAPL", 60),))):
        assert unpack_down(pack(message)[4:]) == message


def test_a_receipt_keeps_money_exact():
    use = LimitUse(code="G1", title="t", used=0.1, limit=1.0)
    receipt = commands.Receipt(ok=False, denials=(Denial(code="G1", text="x"),), data={"a": 1})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(receipt), type=commands.Receipt) == receipt
    assert use.limit == 1.0


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_raise_a_decode_error(body: bytes):
    for unpack in (unpack_up, unpack_down):
        try:
            unpack(body)
        except msgspec.DecodeError:
            continue
