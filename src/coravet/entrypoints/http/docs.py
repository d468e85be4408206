"""The API for people: one page rendered from the OpenAPI document, without script, fetching nothing from elsewhere."""

import json
from collections import defaultdict
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; background: var(--soft); padding: .75rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; padding: .3rem .75rem; }
summary { cursor: pointer; } .method { display: inline-block; min-width: 4.2rem; font-weight: 600; }
.who { float: right; opacity: .75; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
"""


def page(document: dict[str, Any]) -> str:
    """The document as HTML: operations by tag, then the codes, the events and the schemas."""
    by_tag: defaultdict[str, list[str]] = defaultdict(list)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag[operation["tags"][0]].append(_operation(method, path, operation))
    schemas = document["components"]["schemas"]
    operations = "".join(f"<h2 id='{tag}'>{tag}</h2>{''.join(by_tag[tag])}" for tag in sorted(by_tag))
    events = "".join(
        f"<tr><td><code>{escape(event['title'])}</code></td><td>{escape(event['description'])}</td></tr>"
        for event in schemas["Event"]["oneOf"]
    )
    others = "".join(
        f"<details id='schema-{name}'><summary><code>{name}</code></summary>{_json(schema)}</details>"
        for name, schema in sorted(schemas.items())
        if name != "Event"
    )
    info = document["info"]
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style><h1>{escape(info['title'])} API</h1>"
        f"<p>{escape(info['description'])}</p><p>Machines read <a href='/api/v1/openapi.json'>openapi.json</a>, "
        "OpenAPI 3.1, and generate their clients from it.</p>"
        f"{operations}<h2>Events of the stream</h2><table>{events}</table><h2>Schemas</h2>{others}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    who = (
        operation.get("x-permission")
        or (operation.get("x-operator") and "operator")
        or ("signed in" if operation["security"] else "public")
    )
    parameters = "".join(
        f"<tr><td><code>{escape(each['name'])}</code> ({each['in']}{', required' if each.get('required') else ''})</td>"
        f"<td>{escape(each.get('description', ''))} <code>{escape(json.dumps(each.get('schema', {})))}</code></td></tr>"
        for each in operation.get("parameters", [])
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = "".join(
        f"<tr><td>{status}</td><td>{escape(answer['description'])} {_named(answer)}</td></tr>"
        for status, answer in sorted(operation["responses"].items())
    )
    return (
        f"<details id='{operation['operationId']}'><summary><span class='who'>{escape(who)}</span>"
        f"<span class='method'>{method.upper()}</span> <code>{escape(path)}</code></summary>"
        f"<p>{escape(operation.get('description', ''))} <small><code>{operation['operationId']}</code></small></p>"
        + (f"<table>{parameters}</table>" if parameters else "")
        + (f"<p>Body: {_link(body)}</p>" if body else "")
        + f"<table>{answers}</table></details>"
    )


def _named(answer: dict[str, Any]) -> str:
    return " ".join(_link(content.get("schema", {})) for content in answer.get("content", {}).values())


def _link(schema: dict[str, Any]) -> str:
    parts = [schema, *schema.get("oneOf", []), *schema.get("anyOf", [])]
    for part in parts:
        if "$ref" in part:
            name = part["$ref"].rsplit("/", 1)[-1]
            return f"<a href='#schema-{name}'><code>{name}</code></a>"
    return ""


def _json(schema: dict[str, Any]) -> str:
    return f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"
