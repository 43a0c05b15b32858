"""What the fuzzer cannot know of the API, kept as small as it can be.

It may not take away the key it works with, and a value that a JSON schema lets through may still be
refused for what the data directory holds; each such refusal is listed here with its reason. All the
rest is checked as openapi.json says it.
"""

import ast
import json
import os
import re
import threading
import urllib.request
import uuid

import schemathesis

KEY = os.environ["CALSETA_KEY"]

# How much of a key its `key_prefix` shows.
PREFIX_CHARS = 12

# What no schema can say: (operation, path of the refused value or the error's code, reason).
REFUSALS = [
    (
        ".*",
        r"(.*\.)?source_names?(\.\d+)?|(allowed|trigger_on)_sources\.\d+|UNKNOWN_SOURCE",
        "a source has to exist",
    ),
    ("POST /v1/(alerts|ingest/.*)", "INVALID_PAYLOAD|PAYLOAD_TOO_DEEP", "it is the source's form"),
    ("POST /v1/sources/.*", "INVALID_PAYLOAD|PAYLOAD_TOO_DEEP", "it is the source's form"),
    (".* /v1/sources.*", r"field_map(\..*)?|auth_config", "fields and paths go together"),
    ("GET .*", "cursor", "it is an earlier answer's"),
    ("GET /v1/activity", "kind", "a kind of event has to exist"),
    ("POST /v1/agents/.*/recover", "(from|to)_time", "one is not after the other"),
    ("POST /v1/agents/.*/test", "alert_uuid", "the alert has to exist"),
    (
        "GET /v1/(metrics/.*|detection-rules/.*/metrics)",
        "(from|to)(_time)?",
        "one is not after the other",
    ),
    (".*", "q", "it is a grammar's"),
    ("POST /v1/alerts/delete-all", "confirm", "it names how many alerts there are"),
    ("POST /v1/alerts/.*/purge", "reason", "it must say something"),
    ("PATCH /v1/alerts/.*", "close_classification", "closing needs one, sent now or before"),
    ("POST /v1/alerts/.*/indicators|POST /v1/enrichments", r".*value", "it is its type's form"),
    ("POST /v1/enrichments", "type|indicator_type", "needed under one of two names"),
    (
        "POST /v1/alerts/.*/findings",
        "supersedes|delivery_uuid",
        "the finding has to be one's own, the delivery to exist",
    ),
    ("POST /v1/api-keys", "agent_uuid", "the agent has to exist, and the key to be an agent's"),
    (".* /v1/agents.*", "webhook_url", "an address is judged by more than its spelling"),
    (".* /v1/agents.*", "auth_header(_name|_value)?", "name and value go together; some are ours"),
    (".* /v1/agents.*", r"trigger_filter(\..*)?", "fields, operators and values go together"),
    (".* /v1/context-documents.*", r"targeting_rules(\..*)?", "the same grammar"),
    (".* /v1/context-documents.*", "UNSUPPORTED_FORMAT|file|body", "it is a file's or form's form"),
    ("(POST|PATCH) /v1/detection-rules.*", r"mitre_\w+\.\d+", "the table of ATT&CK has to know it"),
    (".* /v1/indicator-mappings.*", "field_path", "a normalised field has to exist"),
    (
        "(PATCH|DELETE) .*",
        "SYSTEM_MAPPING_READONLY|BUILTIN_RESTRICTED",
        "it came with the product",
    ),
    ("POST /v1/indicator-mappings/test-extraction", "INVALID_PAYLOAD", "it is the source's form"),
    ("POST /v1/alerts/.*/dispatch-agent", "AGENT_INACTIVE", "an agent can be switched off"),
    (
        ".* /v1/enrichment-providers.*",
        r"(http_config|malice_rules|cache_ttl_by_type|oauth2)(\..*)?|base_url",
        "steps, templates and types go together; addresses are judged by more than their spelling",
    ),
    ("POST /v1/enrichment-providers/.*/test", "(indicator_)?(type|value)", "it is its type's form"),
    ("POST /v1/enrichment-field-extractions.*", "PROVIDER_NOT_FOUND", "it has to exist"),
    ("PATCH /v1/settings", ".*", "the schema of settings is a route of its own"),
    ("PUT /v1/alerts/.*/snooze", "until", "it lies ahead, at most 90 days"),
    ("POST /v1/alerts/bulk", r"(select|action)(\..*)?", "each kind takes its own fields"),
    ("POST /v1/alerts/bulk", "AGENT_INACTIVE", "an agent can be switched off"),
    ("(POST|PATCH) /v1/suppressions.*", "expires_at", "it lies ahead, at most 90 days"),
    ("PUT /v1/findings/.*/review", "reason", "disagreeing has one, accepting has none"),
    (".* /v1/views.*", "columns", "names of columns are short"),
    ("POST /v1/egress/grants", "host", "an address is judged by more than its spelling"),
]

# A source, or all of them, can be switched off; what is sent then is refused with 503.
PAUSED = "INGEST_PAUSED"

# 3.0 is an integer to a JSON schema; the API wants whole numbers written without a point.
POINTED = "invalid type: floating point"


def own_key() -> str:
    """The uuid of the key in use; the data directory is fresh, so the first page lists it."""
    request = urllib.request.Request(
        f"{os.environ['CALSETA_URL']}/v1/api-keys",
        headers={"Authorization": f"Bearer {KEY}"},
    )
    # No proxy of the environment: the API is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        keys = json.load(answer)["data"]
    return next(key["uuid"] for key in keys if key["key_prefix"] == KEY[:PREFIX_CHARS])


OWN_KEY = own_key()


@schemathesis.hook
def before_call(context, case, kwargs):
    """A change of the key in use becomes one of a key that is not there."""
    if case.method.upper() in {"GET", "HEAD", "OPTIONS", "TRACE"}:
        return
    if case.path_parameters.get("uuid") == OWN_KEY:
        case.path_parameters["uuid"] = str(uuid.uuid4())


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """Drops the refusal of a valid request only when every reason the answer gives is listed."""
    if failure.code not in {"ST101", "ST202"}:
        return True
    error = json.loads(response.content)["error"]
    if failure.code == "ST101":
        return response.status_code != 503 or error["code"] != PAUSED
    errors = error.get("details", {}).get("errors") or [{"path": error["code"], "message": ""}]
    operation = f"{case.method} {case.operation.path}"
    return not all(is_listed(operation, each["path"], each["message"]) for each in errors)


def is_listed(operation: str, path: str, message: str) -> bool:
    return message.startswith(POINTED) or any(
        re.fullmatch(operations, operation) and re.fullmatch(paths, path, re.DOTALL)
        for operations, paths, _ in REFUSALS
    )


# Before Python 3.11.8 and 3.12.1 only one thread at a time may parse: the others fail with "AST
# constructor recursion depth mismatch". The fuzzer's workers parse their own source.
PARSE = ast.parse
PARSING = threading.Lock()


def parse_alone(*arguments, **options):
    with PARSING:
        return PARSE(*arguments, **options)


ast.parse = parse_alone
