"""The OpenAPI document, made of the table of routes and the types they read and write."""

import re
from typing import Any

import msgspec

from service.answers import Problem
from service.routes import Route
from service.tokens import Scope

_REF = "#/components/schemas/{name}"
COMMON = {
    "401": "The token, or the signature, is missing or wrong.",
    "403": "The token, the setting serve.trade, or the page that asks does not allow it.",
    "421": "Asked under a name that is not this service's.",
    "429": "Too many requests.",
    "503": "No engine answers.",
}


def document(routes: tuple[Route, ...], version: str) -> dict[str, Any]:
    """Return the document as builtins."""
    read = sorted({route.body for route in routes if route.body is not None}, key=lambda kind: kind.__name__)
    written = sorted({route.answer for route in routes} | {Problem}, key=lambda kind: kind.__name__)
    _, bodies = msgspec.json.schema_components(read, ref_template=_REF)
    _, answers = msgspec.json.schema_components(written, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Market Agent",
            "version": version,
            "description": "The local service. Prices of orders are decimals written as text; times are UTC "
            "nanoseconds. Frames of changes come over the WebSocket /stream.",
        },
        "paths": paths,
        "components": {
            "schemas": {**bodies, **{name: _nullable(schema) for name, schema in answers.items()}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    query = [
        {"name": q.name, "in": "query", "required": q.needed, "description": q.text, "schema": q.schema}
        for q in route.queries
    ]
    answers: dict[str, Any] = {"200": _content(route.answer, "Done.")}
    refused = route.answer if route.answer.__name__ == "Outcome" else Problem
    for status, text in COMMON.items():
        answers[status] = _content(Problem, text)
    answers["403"] = _either(refused, COMMON["403"])
    answers["404"] = _either(refused, "There is no such thing.")
    answers["422"] = _either(route.answer if route.scope is None else refused, "It cannot be done, and why.")
    operation: dict[str, Any] = {
        "summary": route.text,
        "operationId": f"{route.method.lower()}{re.sub(r'[^a-z]+', '_', route.path)}".strip("_"),
        "parameters": path + query,
        "responses": answers,
        "security": [] if route.scope is None else [{"token": []}],
    }
    if route.scope is Scope.TRADE:
        operation["description"] = "Takes the token of trading."
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=route.body.__name__)}}},
        }
        answers["408"] = _content(Problem, "The body did not arrive in time.")
        answers["409"] = _either(refused, "The id was used for something else.")
        answers["413"] = _content(Problem, "The body is too large.")
        answers["415"] = _content(Problem, "The body is not JSON.")
    return operation


def _content(kind: Any, text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": {"$ref": _REF.format(name=kind.__name__)}}}}


def _either(kind: Any, text: str) -> dict[str, Any]:
    if kind is Problem:
        return _content(Problem, text)
    names = [{"$ref": _REF.format(name=one.__name__)} for one in (kind, Problem)]
    return {"description": text, "content": {"application/json": {"schema": {"anyOf": names}}}}


def _nullable(schema: Any) -> Any:
    """A number that is none is written as null, so every number of an answer may be."""
    if isinstance(schema, list):
        return [_nullable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _nullable(part) for name, part in schema.items()}
    if found.get("type") == "number":
        found["type"] = ["number", "null"]
    return found
