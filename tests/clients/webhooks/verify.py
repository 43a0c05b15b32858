"""Verifies webhooks with the official Python library.

Reads one JSON object a line (secret, headers, body in base64) and answers `ok` or `no` a line.
"""

import base64
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    message = json.loads(line)
    body = base64.b64decode(message["body"])
    try:
        Webhook(message["secret"]).verify(body, message["headers"])
        print("ok")
    except (WebhookVerificationError, ValueError):
        print("no")
