"""Is a JSON text as a schema says? As much of JSON Schema as docs/dump.schema.json needs; what it does not know is an error.

schema.py SCHEMA FILE...    exit 1: one is not, and why stands on stdout
"""

import json
import re
import sys

TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
}
KNOWN = set(
    "$schema title description $defs $ref type const enum pattern minimum items anyOf properties required additionalProperties".split()
)


def wrong(schema, value, root, path):
    """The first thing that is not as it says; None."""
    unknown = set(schema) - KNOWN
    if unknown:
        return f"{path}: the schema uses {unknown}"
    if "$ref" in schema:
        return wrong(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root, path)
    if "anyOf" in schema:
        each = [wrong(one, value, root, path) for one in schema["anyOf"]]
        return None if None in each else each[0]
    kinds = schema.get("type", list(TYPES))
    if not any(TYPES[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return f"{path}: {value!r} is not of type {kinds}"
    if "const" in schema and value != schema["const"] or "enum" in schema and value not in schema["enum"]:
        return f"{path}: {value!r} is none of those allowed"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return f"{path}: {value!r} does not match"
    if isinstance(value, (int, float)) and value < schema.get("minimum", value):
        return f"{path}: {value!r} is too little"
    if isinstance(value, list):
        inside = ((schema.get("items", {}), item, f"{path}/{i}") for i, item in enumerate(value))
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        missing = [key for key in schema.get("required", []) if key not in value]
        more = [key for key in value if key not in properties]
        if missing or more and schema.get("additionalProperties", True) is False:
            return f"{path}: has not {missing}, and has {more} more"
        inside = ((properties.get(key, {}), item, f"{path}/{key}") for key, item in value.items())
    else:
        inside = ()
    return next(filter(None, (wrong(*one[:2], root, one[2]) for one in inside)), None)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            why = wrong(schema, json.load(file), schema, "")
        if why:
            print(f"{path}: {why}")
            return 1
    return 0


sys.exit(main())
