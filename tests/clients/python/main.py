"""An agent's work through the client that openapi-python-client makes of openapi.json.

It sends an alert, finds it again by a filter, posts a finding twice under one Idempotency-Key and
reads it back. Any surprise ends it with an error.
"""

import os
import time
import uuid

from calseta_client import AuthenticatedClient
from calseta_client.api.alerts import list_alerts
from calseta_client.api.findings import create_finding, list_findings
from calseta_client.api.ingest import create_alert
from calseta_client.models import (
    ErrorBody,
    FindingRequest,
    IngestRequest,
    IngestRequestPayload,
)

SUMMARY = "The address is a known proxy."


# The words of a new alert are indexed when there is a moment.
INDEXED_WITHIN_SECS = 20
POLL_EVERY_SECS = 0.05


def send_alert(client: AuthenticatedClient, title: str) -> uuid.UUID:
    payload = IngestRequestPayload.from_dict(
        {"title": title, "severity": "High", "src_ip": "203.0.113.7"}
    )
    request = IngestRequest(source_name="generic", payload=payload)
    answer = create_alert.sync_detailed(client=client, body=request)
    assert answer.status_code == 202, answer
    return answer.parsed.data.alert_uuid


def find_alert(client: AuthenticatedClient, title: str) -> uuid.UUID:
    query = f'title:"{title}" severity:High'
    deadline = time.monotonic() + INDEXED_WITHIN_SECS
    while True:
        answer = list_alerts.sync_detailed(client=client, q=query)
        assert answer.status_code == 200, answer
        found = answer.parsed.data
        if found or time.monotonic() > deadline:
            break
        time.sleep(POLL_EVERY_SECS)
    assert [alert.title for alert in found] == [title], "the filter finds this alert alone"
    return found[0].uuid


def refuse_a_wrong_filter(client: AuthenticatedClient) -> None:
    answer = list_alerts.sync_detailed(client=client, q="severity:Terrible")
    assert answer.status_code == 422, answer
    assert isinstance(answer.parsed, ErrorBody), "errors have a type too"
    assert answer.parsed.error.code == "VALIDATION_ERROR", answer.parsed


def post_finding(client: AuthenticatedClient, alert: uuid.UUID) -> None:
    finding = FindingRequest(summary=SUMMARY, confidence=0.9, recommended_actions=["Block it"])
    key = str(uuid.uuid4())
    answers = [
        create_finding.sync_detailed(
            uuid=alert, client=client, body=finding, idempotency_key=key
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201], answers
    first, second = (answer.parsed.data for answer in answers)
    assert first.uuid == second.uuid, "one key, one finding"
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    kept = list_findings.sync(uuid=alert, client=client).data
    assert [finding.uuid for finding in kept] == [first.uuid]
    assert kept[0].summary == SUMMARY
    assert kept[0].confidence == 0.9


def main() -> None:
    client = AuthenticatedClient(
        base_url=os.environ["CALSETA_URL"], token=os.environ["CALSETA_KEY"]
    )
    title = f"Python client {uuid.uuid4()}"
    sent = send_alert(client, title)
    found = find_alert(client, title)
    assert found == sent, (found, sent)
    refuse_a_wrong_filter(client)
    post_finding(client, found)


main()
