"""schema.py SCHEMA FILE: is the JSON in FILE as SCHEMA says? As much of JSON Schema as ours use."""
import json
import sys

NAMES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
         "boolean": bool, "null": type(None)}


def is_a(value, name):
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, NAMES[name])


def wrong(root, schema, value, path):
    """What is wrong with VALUE, one line each."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        yield from wrong(root, root["$defs"][name], value, path)
        return
    if "anyOf" in schema:
        if all(list(wrong(root, one, value, path)) for one in schema["anyOf"]):
            yield f"{path}: {value!r} is none of those it may be"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{path}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not in {schema['enum']}"
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_a(value, name) for name in types):
        yield f"{path}: {value!r} is no {' or '.join(types)}"
        return
    if isinstance(value, dict):
        for key in schema.get("required", schema.get("properties", {})):
            if key not in value:
                yield f"{path}: {key} is missing"
        for key, member in value.items():
            one = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if one is None:
                yield f"{path}.{key}: not in the schema"
            else:
                yield from wrong(root, one, member, f"{path}.{key}")
    for i, element in enumerate(value if isinstance(value, list) else []):
        yield from wrong(root, schema["items"], element, f"{path}[{i}]")


with open(sys.argv[1], encoding="utf-8") as file:
    ROOT = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    FOUND = list(wrong(ROOT, ROOT, json.load(file), "$"))
print("\n".join(FOUND), end="\n" if FOUND else "")
sys.exit(bool(FOUND))
