#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""schema.py SCHEMA: is the JSON document on standard input as the schema says? The parts of JSON schema that ours use."""

import json
import re
import sys

TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None),
         "number": (int, float)}


def is_type(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def check_object(schema, root, value, where):
    for name in schema.get("required", []):
        if name not in value:
            yield f"{where}: {name} is missing"
    for name, item in value.items():
        if name in schema.get("properties", {}):
            yield from check(schema["properties"][name], root, item, f"{where}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{where}: {name} is not in the schema"


def check(schema, root, value, where="document"):
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema and all(list(check(one, root, value)) for one in schema["anyOf"]):
        yield f"{where}: {value!r} is none of what it may be"
    types = schema.get("type", list(TYPES))
    if not any(is_type(value, name) for name in ([types] if isinstance(types, str) else types)):
        yield f"{where}: {value!r} is no {types}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    if is_type(value, "number") and value < schema.get("minimum", value):
        yield f"{where}: {value} is too small"
    if isinstance(value, dict):
        yield from check_object(schema, root, value, where)
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from check(schema.get("items", {}), root, item, f"{where}[{i}]")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    problems = list(check(schema, schema, json.load(sys.stdin)))
    print("\n".join(problems), end="\n" if problems else "")
    sys.exit(1 if problems else 0)


main()
