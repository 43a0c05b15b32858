#!/usr/bin/env python3
"""Forwards alerts to Calseta Console on this machine: from a pipe, or from a webhook that cannot set headers.

    tail -n0 -F /var/log/suricata/eve.json | grep --line-buffered '"event_type":"alert"' \
        | CALSETA_KEY=cai_... python3 forward.py --source suricata
    CALSETA_KEY=cai_... python3 forward.py --source splunk --listen 8090

One JSON document a line comes in; each is posted to /v1/ingest/{source} and sent again until the console has
it on disk (202) or refuses it for good. The Idempotency-Key is the document's SHA-256, so that sending it
again makes no second alert. Needs nothing but Python 3.9.
"""

import argparse
import hashlib
import hmac
import http.server
import json
import os
import sys
import time
import urllib.error
import urllib.request

# The console takes 5 MiB at most.
MAX_BODY_BYTES = 5 * 1024 * 1024
# The first wait after a failure; it doubles up to the last one.
FIRST_WAIT_SECS = 1
LAST_WAIT_SECS = 60
REQUEST_TIMEOUT_SECS = 30
# How long the webhook's sender is kept waiting for the console.
LISTEN_PATIENCE_SECS = 20
# Which header carries the signature, by the source's plugin; own sources have the last one.
SIGNATURE_HEADERS = {"sentinel": "X-Sentinel-Signature", "elastic": "X-Elastic-Signature"}
OWN_SIGNATURE_HEADER = "X-Calseta-Signature"


class Console:
    """The console's ingest route for one source."""

    def __init__(self, url, source, key, secret):
        self.url = f"{url.rstrip('/')}/v1/ingest/{source}"
        self.source, self.key, self.secret = source, key, secret

    def headers(self, body):
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"{self.source}-{hashlib.sha256(body).hexdigest()}",
        }
        if self.secret and self.source == "splunk":
            headers["X-Splunk-Webhook-Secret"] = self.secret
        elif self.secret:
            name = SIGNATURE_HEADERS.get(self.source, OWN_SIGNATURE_HEADER)
            headers[name] = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return headers

    def post(self, body):
        """(status, answer, seconds to wait or None); status 0 when nobody answered."""
        request = urllib.request.Request(self.url, data=body, headers=self.headers(body))
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_SECS) as answer:
                return answer.status, answer.read().decode(), None
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace"), error.headers.get("Retry-After")
        except OSError as error:
            return 0, str(error), None

    def deliver(self, body, give_up_at=None):
        """Sends until it is taken or refused for good; what the last answer was."""
        wait = FIRST_WAIT_SECS
        while True:
            status, answer, retry_after = self.post(body)
            # Nobody there, too fast, or no room just now: all pass. Everything else does not.
            if status not in (0, 429) and status < 500:
                return status, answer
            wait_now = int(retry_after) if (retry_after or "").isdigit() else wait
            if give_up_at is not None and time.monotonic() + wait_now > give_up_at:
                return status, answer
            log(f"{status or 'no answer'}, again in {wait_now} s: {answer[:200]}")
            time.sleep(wait_now)
            wait = min(wait * 2, LAST_WAIT_SECS)


def log(text):
    print(text, file=sys.stderr, flush=True)


def forward_lines(console, patience):
    refused = 0
    for line in sys.stdin.buffer:
        body = line.strip()
        if not body:
            continue
        status, answer = console.deliver(body, patience and time.monotonic() + patience)
        if status == 202:
            print(json.dumps(json.loads(answer)["data"]), flush=True)
        else:
            refused += 1
            log(f"not taken, {status or 'no answer'}: {answer[:500]}")
    return 1 if refused else 0


def listen(console, port):
    class Webhook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY_BYTES:
                self.answer(413, '{"error": "too large"}')
                return
            until = time.monotonic() + LISTEN_PATIENCE_SECS
            status, text = console.deliver(self.rfile.read(length), until)
            # The sender learns the truth, so that its own retries and logs are right.
            self.answer(status or 503, text if status else '{"error": "the console does not answer"}')

        def answer(self, status, text):
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            log(format % args)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Webhook)
    log(f"listening on http://127.0.0.1:{server.server_address[1]} for {console.url}")
    server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description="Forwards alerts to Calseta Console on this machine.")
    parser.add_argument("--source", required=True, help="the source's name in the console")
    parser.add_argument("--url", default="http://localhost:8000", help="the console [%(default)s]")
    parser.add_argument("--listen", type=int, metavar="PORT", help="take webhooks on this loopback port")
    parser.add_argument("--give-up-after", type=int, metavar="SECS", help="for each line [never]")
    arguments = parser.parse_args()
    key = os.environ.get("CALSETA_KEY")
    if not key:
        parser.error("set CALSETA_KEY to an API key with the scope alerts:write")
    console = Console(arguments.url, arguments.source, key, os.environ.get("CALSETA_WEBHOOK_SECRET"))
    try:
        if arguments.listen is not None:
            listen(console, arguments.listen)
        return forward_lines(console, arguments.give_up_after)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
