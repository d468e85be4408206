"""Whether an answer is one that the OpenAPI document promises; asked of every answer in these tests."""

import json
import re
from functools import cached_property
from typing import Any

import httpx
from jsonschema import Draft202012Validator

METHOD_NOT_ALLOWED = 405  # no operation that a document could describe


class Contract:
    """The document of an application, as bytes of JSON."""

    def __init__(self, document: bytes) -> None:
        self.document: dict[str, Any] = json.loads(document)
        self._validators: dict[str, Draft202012Validator] = {}

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
        # Addresses with fewer names in them first, as OpenAPI would have them matched.
        paths = sorted(self.document["paths"].items(), key=lambda item: item[0].count("{"))
        return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), methods) for path, methods in paths]

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """The operation at an address; None where the document has none."""
        for pattern, methods in self._paths:
            if pattern.fullmatch(path) and method.lower() in methods:
                found: dict[str, Any] = methods[method.lower()]
                return found
        return None

    def check(self, answer: httpx.Response) -> None:
        """Fail where the status, the media type or the body is not among what the operation promises."""
        operation = self.operation(answer.request.method, answer.request.url.path)
        if operation is None or answer.status_code == METHOD_NOT_ALLOWED:
            return
        name = f"{operation['operationId']} {answer.status_code}"
        promised = operation["responses"].get(str(answer.status_code))
        assert promised is not None, f"{name} is not documented"
        if not answer.content:
            assert not promised.get("content"), f"{name} has no body"
            return
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in promised["content"], f"{name} is {kind}"
        if not kind.endswith("json"):
            return
        if answer.is_error:
            assert answer.json()["code"] in promised["description"].split(", "), f"{name}: {answer.text}"
        schema = promised["content"][kind]["schema"]
        if name not in self._validators:
            self._validators[name] = Draft202012Validator({**schema, "components": self.document["components"]})
        faults = [f"{error.json_path}: {error.message}" for error in self._validators[name].iter_errors(answer.json())]
        assert not faults, f"{name}: {faults}"
