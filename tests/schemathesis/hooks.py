"""How bodies are written that are not JSON: what was made up is sent as text, a JSON value a line."""

import json
import os

import schemathesis


def as_text(value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    lines = value if isinstance(value, list) else [value]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@schemathesis.serializer("application/x-ndjson", "text/csv")
def lines(context, value):
    return as_text(value)


@schemathesis.auth(refresh_interval=None)
class Keys:
    """Each operation is asked with the key of a role that may ask it: VAGLIO_KEYS is a JSON object, role -> key."""

    def get(self, case, context):
        keys = json.loads(os.environ["VAGLIO_KEYS"])
        required = case.operation.definition.raw.get("security") or [{}]
        roles = required[0].get("key", [])
        return keys[roles[0]] if roles else None

    def set(self, case, key, context):
        if key:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {key}"}
