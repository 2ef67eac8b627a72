"""schema.py SCHEMA FILE...: each report is valid, and has no field that the schema doesn't know."""
import json
import sys

import jsonschema


def closed(node):
    """The same schema, in which objects have only the fields that it names."""
    if isinstance(node, dict):
        node = {key: closed(value) for key, value in node.items()}
        if "properties" in node and node.get("type") == "object":
            node.setdefault("additionalProperties", False)
    elif isinstance(node, list):
        node = [closed(value) for value in node]
    return node


with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
validator = kind(closed(schema))
status = 0
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as file:
        for error in validator.iter_errors(json.load(file)):
            print(f"{name}: {'/'.join(map(str, error.path))}: {error.message[:200]}")
            status = 1
sys.exit(status)
