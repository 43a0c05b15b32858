"""A small agent for Calseta Console: receives an alert, checks its signature, answers.

It needs three settings in the environment (see README.md):
  CALSETA_URL             where the console listens, http://localhost:8000 when not set
  CALSETA_KEY             the agent's own API key, cai_...
  CALSETA_SIGNING_SECRET  what registering the agent answered, whsec_...
"""

import argparse
import json
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

URL = os.environ.get("CALSETA_URL", "http://localhost:8000")
KEY = os.environ["CALSETA_KEY"]
WEBHOOK = Webhook(os.environ["CALSETA_SIGNING_SECRET"])

MAX_BODY_BYTES = 16 * 1024 * 1024
TIMEOUT_SECONDS = 10

# The worst verdict among an alert's indicators decides. An agent with a language model would put
# the whole payload into its context here instead.
VERDICTS = {
    "Malicious": ("malicious", 0.9, "Contain the affected account or host"),
    "Suspicious": ("suspicious", 0.6, "Check the account's recent activity"),
    "Benign": ("benign", 0.7, "Close the alert if nothing else speaks against it"),
    "Pending": ("inconclusive", 0.3, "Collect more evidence; no provider had a verdict"),
}


def investigate(payload):
    """Derives a finding from the payload."""
    indicators = payload["indicators"]
    found = {indicator["malice"] for indicator in indicators}
    worst = next((malice for malice in VERDICTS if malice in found), "Pending")
    verdict, confidence, action = VERDICTS[worst]
    bad = [i["value"] for i in indicators if i["malice"] in ("Malicious", "Suspicious")]
    return {
        "summary": f"{payload['alert']['title']}: {len(bad)} of {len(indicators)} indicators are bad.",
        "confidence": confidence,
        "verdict": verdict,
        "recommended_actions": [action],
        "details": {
            "bad_indicators": bad,
            "rule": (payload["detection_rule"] or {}).get("name"),
            "documents_read": [document["title"] for document in payload["context_documents"]],
        },
    }


def call(method, path, body, headers=None):
    """One call to the console's API."""
    request = urllib.request.Request(
        URL + path,
        data=json.dumps(body).encode(),
        method=method,
        headers={
            "Authorization": f"Bearer {KEY}",
            "Content-Type": "application/json",
            **(headers or {}),
        },
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        return json.load(response)["data"]


def answer(payload, webhook_id):
    """Posts the finding and moves the alert on. Both may be repeated without harm."""
    uuid = payload["alert"]["uuid"]
    # A delivery may come twice; with its id the same finding is stored once.
    call("POST", f"/v1/alerts/{uuid}/findings", investigate(payload), {"webhook-id": webhook_id})
    try:
        call("PATCH", f"/v1/alerts/{uuid}", {"status": "Triaging"})
    except urllib.error.HTTPError as error:
        if error.code != 409:  # An analyst closed it in the meantime.
            raise


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > MAX_BODY_BYTES:
            return self.reply(413)
        body = self.rfile.read(length)
        try:
            # Over the exact bytes: parsing first and writing again would break the signature.
            payload = WEBHOOK.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError):
            return self.reply(401)
        if not payload.get("test"):
            try:
                answer(payload, self.headers["webhook-id"])
            except OSError as error:
                # No success means that the console delivers again later.
                self.log_error("could not answer: %s", error)
                return self.reply(502)
        return self.reply(200)

    def reply(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--port", type=int, default=9100, help="0 picks a free one")
    server = ThreadingHTTPServer(("127.0.0.1", arguments.parse_args().port), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_port}/webhook", flush=True)
    server.serve_forever()
