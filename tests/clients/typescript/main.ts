/**
 * An agent's work through the types that openapi-typescript makes of openapi.json.
 *
 * It sends an alert, finds it again by a filter, posts a finding twice under one Idempotency-Key
 * and reads it back. Any surprise ends it with an error.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./calseta.js";

type Alert = components["schemas"]["AlertSummary"];
type FindingRequest = components["schemas"]["FindingRequest"];

/** The words of a new alert are indexed when there is a moment. */
const INDEXED_WITHIN_MS = 20_000;
const POLL_EVERY_MS = 50;

function setting(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

const client = createClient<paths>({
  baseUrl: setting("CALSETA_URL"),
  headers: { Authorization: `Bearer ${setting("CALSETA_KEY")}` },
});

async function sendAlert(title: string): Promise<string> {
  const { data, response } = await client.POST("/v1/alerts", {
    body: {
      source_name: "generic",
      payload: { title, severity: "High", src_ip: "203.0.113.7" },
    },
  });
  assert.equal(response.status, 202);
  assert(data);
  return data.data.alert_uuid;
}

async function findAlert(title: string): Promise<Alert> {
  const q = `title:"${title}" severity:High`;
  const deadline = Date.now() + INDEXED_WITHIN_MS;
  let rows: Alert[] = [];
  while (rows.length === 0 && Date.now() < deadline) {
    const { data, error } = await client.GET("/v1/alerts", { params: { query: { q } } });
    assert(data, JSON.stringify(error));
    rows = data.data;
    if (rows.length === 0) await pause(POLL_EVERY_MS);
  }
  const [found, ...others] = rows;
  assert(found && others.length === 0, "the filter finds this alert alone");
  assert.equal(found.title, title);
  return found;
}

async function refuseAWrongFilter(): Promise<void> {
  const query = { q: "severity:Terrible" };
  const { error, response } = await client.GET("/v1/alerts", { params: { query } });
  assert.equal(response.status, 422);
  assert.equal(error?.error.code, "VALIDATION_ERROR", "errors have a type too");
}

async function postFinding(alert: string): Promise<void> {
  const body: FindingRequest = {
    summary: "The address is a known proxy.",
    confidence: 0.9,
    recommended_actions: ["Block it"],
  };
  const header = { "Idempotency-Key": randomUUID() };
  const path = { uuid: alert };
  const post = () =>
    client.POST("/v1/alerts/{uuid}/findings", { params: { path, header }, body });
  const [first, second] = [await post(), await post()];
  assert(first.data && second.data, JSON.stringify(first.error ?? second.error));
  assert.equal(second.data.data.uuid, first.data.data.uuid, "one key, one finding");
  assert.equal(second.response.headers.get("Idempotent-Replayed"), "true");
  const kept = await client.GET("/v1/alerts/{uuid}/findings", { params: { path } });
  assert(kept.data);
  assert.deepEqual(
    kept.data.data.map((finding) => [finding.uuid, finding.summary, finding.confidence]),
    [[first.data.data.uuid, body.summary, body.confidence]],
  );
}

const title = `TypeScript client ${randomUUID()}`;
const sent = await sendAlert(title);
const found = await findAlert(title);
assert.equal(found.uuid, sent);
await refuseAWrongFilter();
await postFinding(found.uuid);
