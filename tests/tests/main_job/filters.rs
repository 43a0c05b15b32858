//! Trigger filters, by what really reaches the agents.

use anyhow::Result;
use calseta_tests::backend::wait_for;
use calseta_tests::world::{World, refused, titles};
use reqwest::Method;
use serde_json::{Value, json};

/// Source, payload; the title says what it is.
fn alerts() -> Vec<(&'static str, Value)> {
    let splunk = |title: &str, severity: &str| {
        json!({
            "sid": "s1", "search_name": title, "app": "search", "owner": "admin",
            "results_link": "http://splunk.example/1", "result": {"severity": severity},
        })
    };
    vec![
        ("generic", json!({"title": "g pending"})),
        (
            "generic",
            json!({"title": "g info", "severity": "Informational"}),
        ),
        (
            "generic",
            json!({"title": "g low", "severity": "Low", "tags": ["vpn"]}),
        ),
        (
            "generic",
            json!({"title": "g high", "severity": "High", "tags": [" Identity "]}),
        ),
        (
            "generic",
            json!({"title": "g critical", "severity": "Critical", "tags": ["auth", "x"]}),
        ),
        ("splunk", splunk("s medium", "medium")),
        ("splunk", splunk("s critical", "critical")),
    ]
}

/// Filter, and the titles it lets through.
fn cases() -> Vec<(Value, Vec<&'static str>)> {
    let all = vec![
        "g critical",
        "g high",
        "g info",
        "g low",
        "g pending",
        "s critical",
        "s medium",
    ];
    vec![
        (Value::Null, all.clone()),
        (json!({}), all.clone()),
        (
            json!({"min_severity": null, "source_names": [], "tags": []}),
            all,
        ),
        (
            json!({"min_severity": "Informational"}),
            vec![
                "g critical",
                "g high",
                "g info",
                "g low",
                "s critical",
                "s medium",
            ],
        ),
        (
            json!({"min_severity": "Medium"}),
            vec!["g critical", "g high", "s critical", "s medium"],
        ),
        (
            json!({"min_severity": "Critical"}),
            vec!["g critical", "s critical"],
        ),
        (
            json!({"source_names": ["splunk"]}),
            vec!["s critical", "s medium"],
        ),
        (json!({"source_names": ["sentinel", "elastic"]}), vec![]),
        (
            json!({"tags": ["IDENTITY", "auth"]}),
            vec!["g critical", "g high"],
        ),
        (json!({"tags": ["identit"]}), vec![]),
        (
            json!({"min_severity": "High", "source_names": ["generic"], "tags": ["vpn", "auth"]}),
            vec!["g critical"],
        ),
        (
            json!({"match_any": [
                {"field": "severity", "op": "eq", "value": "Low"},
                {"field": "source_name", "op": "eq", "value": "splunk"},
            ]}),
            vec!["g low", "s critical", "s medium"],
        ),
        (
            json!({"source_names": ["splunk"], "match_all": [
                {"field": "severity", "op": "gte", "value": "High"},
            ]}),
            vec!["s critical"],
        ),
    ]
}

#[tokio::test]
async fn each_agent_is_sent_what_its_filter_lets_through_and_nothing_else() -> Result<()> {
    let world = World::fresh().await?;
    let mut agents = Vec::new();
    for (filter, expected) in cases() {
        agents.push((world.agent(&filter).await?, filter, expected));
    }
    let posted = alerts();
    for (source, payload) in &posted {
        world.ingest(source, payload).await?;
    }
    for (agent, filter, expected) in &agents {
        let seen = agent.recorder.wait(expected.len()).await?;
        assert_eq!(titles(&seen), *expected, "with {filter}");
    }
    // Deliveries are stored with the end of the enrichment: after this none can be added.
    wait_for("all alerts were matched", || async {
        let all = world.backend.get("/v1/alerts?is_enriched=true").await?;
        Ok((all.as_array().map_or(0, Vec::len) == posted.len()).then_some(()))
    })
    .await?;
    for (agent, filter, expected) in &agents {
        let count = world.deliveries(&agent.uuid).await?.len();
        assert_eq!(count, expected.len(), "with {filter}");
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_field_source_or_severity_is_named_with_the_likely_word() -> Result<()> {
    let world = World::fresh().await?;
    for (filter, path, meant) in [
        (
            json!({"min_severty": "High"}),
            "trigger_filter.min_severty",
            "min_severity",
        ),
        (
            json!({"min_severity": "Hgh"}),
            "trigger_filter.min_severity",
            "High",
        ),
        (
            json!({"source_names": ["sentinal"]}),
            "trigger_filter.source_names.0",
            "sentinel",
        ),
        (
            json!({"match_any": [{"field": "severty", "op": "eq", "value": "High"}]}),
            "trigger_filter.match_any.0.field",
            "severity",
        ),
    ] {
        let request = json!({
            "name": "a", "webhook_url": "https://agent.example.com/", "trigger_filter": filter,
        });
        let admin = world.backend.admin();
        let answer = world
            .backend
            .call(admin, Method::POST, "/v1/agents", Some(&request))
            .await?;
        let details = refused(&answer, (422, "VALIDATION_ERROR"));
        let error = &details["errors"][0];
        assert_eq!(
            error["path"], path,
            "never a silent \"no match\": {details}"
        );
        assert_eq!(error["did_you_mean"], meant, "{details}");
    }
    let agents = world.backend.get("/v1/agents").await?;
    assert_eq!(agents, json!([]), "what was refused was not stored");
    Ok(())
}

#[tokio::test]
async fn v1_1_0_s_agent_names_register_the_same_filter() -> Result<()> {
    let world = World::fresh().await?;
    let recorder = calseta_tests::recorder::Recorder::start().await?;
    let request = json!({
        "name": "Old client", "endpoint_url": recorder.url,
        "auth_header_name": "X-Agent-Token", "auth_header_value": "token-1",
        "trigger_on_sources": ["splunk"], "trigger_on_severities": ["Critical"],
    });
    let agent = world.backend.post("/v1/agents", &request).await?;
    assert_eq!(
        agent["webhook_url"], agent["endpoint_url"],
        "both names are answered"
    );
    for (source, payload) in &alerts() {
        world.ingest(source, payload).await?;
    }
    let seen = recorder.wait(1).await?;
    assert_eq!(titles(&seen), ["s critical"], "exact severities, as then");
    assert_eq!(seen[0].header("x-agent-token"), "token-1");
    Ok(())
}

#[tokio::test]
async fn clearing_a_filter_lets_everything_through_again() -> Result<()> {
    let world = World::fresh().await?;
    let agent = world.agent(&json!({"min_severity": "Critical"})).await?;
    let uuid = world
        .alert(&json!({"title": "too low", "severity": "Low"}))
        .await?;
    world.settled(&uuid).await?;
    let path = format!("/v1/agents/{}", agent.uuid);
    let patched = world
        .backend
        .patch(&path, &json!({"trigger_filter": null}))
        .await?;
    assert_eq!(patched["trigger_filter"], json!({}));
    world
        .alert(&json!({"title": "low again", "severity": "Low"}))
        .await?;
    let seen = agent.recorder.wait(1).await?;
    assert_eq!(titles(&seen), ["low again"], "without filters: all alerts");
    Ok(())
}

#[tokio::test]
async fn an_unknown_value_in_a_list_s_filter_is_refused_not_an_empty_list() -> Result<()> {
    let world = World::fresh().await?;
    world
        .alert(&json!({"title": "There", "severity": "High"}))
        .await?;
    let found = world.backend.get("/v1/alerts?severity=High,Low").await?;
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    let admin = world.backend.admin();
    let path = "/v1/alerts?severity=Hgh";
    let answer = world.backend.call(admin, Method::GET, path, None).await?;
    let details = refused(&answer, (422, "VALIDATION_ERROR"));
    assert_eq!(
        details["errors"][0]["did_you_mean"], "High",
        "an empty list would read as \"no such alerts\": {details}"
    );
    Ok(())
}

#[tokio::test]
async fn an_agent_key_s_local_address_waits_for_a_human() -> Result<()> {
    let world = World::fresh().await?;
    let recorder = calseta_tests::recorder::Recorder::start().await?;
    let request = json!({
        "name": "k", "key_type": "agent", "scopes": ["agents:write", "agents:read"],
    });
    let key = world.backend.post("/v1/api-keys", &request).await?;
    let key = key["key"].as_str().unwrap_or_default();
    let request = json!({"name": "Self-made", "webhook_url": recorder.url});
    let agent = world.backend.post_as(key, "/v1/agents", &request).await?;
    assert_eq!(
        (&agent["grant"], &agent["is_active"]),
        (&json!("pending"), &json!(false)),
        "an agent must not open a way to this machine by itself"
    );
    let first = world.alert(&json!({"title": "Before the grant"})).await?;
    world.settled(&first).await?;
    let path = format!("/v1/agents/{}", agent["uuid"].as_str().unwrap_or_default());
    let on = json!({"is_active": true});
    let allowed = world.backend.patch(&path, &on).await?;
    assert_eq!(
        allowed["grant"], "granted",
        "the human who switches it on allows it"
    );
    world.alert(&json!({"title": "After the grant"})).await?;
    let seen = recorder.wait(1).await?;
    assert_eq!(titles(&seen), ["After the grant"]);
    Ok(())
}
