"""The OpenAPI document is true: every route is in it, every answer fits its schema, and nothing else is served."""

import msgspec
import pytest

from service.hooks import Hooks
from service.openapi import document
from service.rate import Bucket
from service.routes import table
from service.tokens import Scope


def routes():
    pace = Bucket(1.0, lambda: 0.0)
    return table(Hooks({}, lambda: 0.0, pace, pace))


@pytest.fixture(scope="module")
def told():
    return document(routes(), "test")


def test_every_route_is_documented_with_who_may_ask(told):
    for route in routes():
        operation = told["paths"][route.path][route.method.lower()]
        assert operation["security"] == ([] if route.scope is None else [{"token": []}])
        assert ("requestBody" in operation) is (route.body is not None)
        assert "200" in operation["responses"]
    names = [operation["operationId"] for path in told["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere(told):
    text = msgspec.json.encode(told).decode()
    for part in text.split('"$ref":"')[1:]:
        name = part.split('"')[0]
        assert name.startswith("#/components/schemas/")
        assert name.rpartition("/")[2] in told["components"]["schemas"], name


def fits(schema: dict, value: object, schemas: dict, where: str = "$") -> None:
    """Check a value against the part of JSON Schema that the document uses."""
    if "$ref" in schema:
        fits(schemas[schema["$ref"].rpartition("/")[2]], value, schemas, where)
        return
    if "anyOf" in schema:
        faults = []
        for option in schema["anyOf"]:
            try:
                fits(option, value, schemas, where)
            except AssertionError as error:
                faults.append(str(error))
            else:
                return
        raise AssertionError(f"{where}: {faults}")
    kinds = schema.get("type")
    known = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    if kinds is not None:
        options = [kinds] if isinstance(kinds, str) else kinds
        is_kind = [isinstance(value, (int, float) if kind == "number" else known[kind]) for kind in options]
        assert any(is_kind), f"{where}: {value!r} is not {options}"
    if "enum" in schema:
        assert value in schema["enum"], where
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            assert name in value, f"{where}.{name} is missing"
        for name, part in schema.get("properties", {}).items():
            if name in value:
                fits(part, value[name], schemas, f"{where}.{name}")
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            for name in value.keys() - schema.get("properties", {}).keys():
                fits(extra, value[name], schemas, f"{where}.{name}")
    if isinstance(value, list):
        if "prefixItems" in schema:
            for at, part in enumerate(schema["prefixItems"]):
                fits(part, value[at], schemas, f"{where}[{at}]")
        elif isinstance(schema.get("items"), dict):
            for at, item in enumerate(value):
                fits(schema["items"], item, schemas, f"{where}[{at}]")


async def test_what_is_answered_fits_what_is_documented(trading):
    served = (await trading.http.get("/openapi.json")).json()
    quote = trading.engine.parts.place.cache.quote("KO")
    bid, stop = round(quote.bid, 2), round(quote.bid * 0.98, 2)
    calls = [
        ("POST", "/orders", {"id": "a", "text": f"buy KO 10 @ {bid} stop {stop}"}),
        ("POST", "/orders", {"text": f"buy KO 10 @ {bid} stop {stop}", "preview": True}),
        ("POST", "/orders", {"id": "b", "text": f"buy KO 900000 @ {bid} stop {stop}"}),
        ("POST", "/orders", {"id": "c"}),
        ("POST", "/suggestions", {"id": "p", "symbol": "MSFT", "side": "BUY"}),
        ("GET", "/health", None),
        ("GET", "/status", None),
        ("GET", "/positions", None),
        ("GET", "/fills", None),
        ("GET", "/orders?all=true", None),
        ("GET", "/suggestions?all=true", None),
        ("GET", "/limits", None),
        ("GET", "/alarms", None),
        ("GET", "/quotes", None),
        ("GET", "/bars?symbol=KO&count=5", None),
        ("GET", "/bars?symbol=NOPE", None),
        ("GET", "/suggestions/S-0001", None),
        ("GET", "/suggestions/S-none", None),
        ("GET", "/orders/none", None),
        ("POST", "/suggestions/S-none/approve", {"hash": "x"}),
        ("POST", "/suggestions/S-none/reject", {"code": "OTHER"}),
        ("DELETE", "/orders/none", None),
        ("POST", "/hooks/tv", {}),
        ("POST", "/halt", {}),
    ]
    await trading.engine.run(3.0)
    seen = set()
    for method, path, body in calls:
        response = await trading.http.request(method, path, json=body)
        plain = path.partition("?")[0]
        name = next(
            known for known in served["paths"]
            if known.count("/") == plain.count("/")
            and all(a == b or a.startswith("{") for a, b in zip(known.split("/"), plain.split("/"), strict=True))
        )  # fmt: skip
        operation = served["paths"][name][method.lower()]
        seen.add((method.lower(), name))
        answer = operation["responses"][str(response.status_code)]
        schema = answer["content"]["application/json"]["schema"]
        fits(schema, response.json(), served["components"]["schemas"], f"{method} {path}")
    assert seen == {(method, name) for name, path in served["paths"].items() for method in path}


async def test_the_document_is_told_without_a_token_and_tells_nothing_else(begun):
    async with begun.client(None) as client:
        response = await client.get("/openapi.json")
    assert response.status_code == 200
    assert begun.tokens[Scope.READ] not in response.text
    assert str(begun.spec.profile) not in response.text
