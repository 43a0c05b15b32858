"""What the fuzzer may not do to itself: take away the key it works with.

Everything else it may: the data directory is its own.
"""

import json
import os
import urllib.request
import uuid

import schemathesis

KEY = os.environ["CALSETA_KEY"]

# How much of a key its `key_prefix` shows.
PREFIX_CHARS = 12


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
