//! What agents say is held against what is stored, and against each other.

use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::strike::strike;
use crate::views::shown;
use crate::world::World;

fn alert(world: &World) -> (String, Value) {
    let id = world.alert(&json!({
        "title": "Sign-in from a Tor exit", "severity": "High", "src_ip": "185.220.101.47",
        "user": "n.hathaway@example.com", "sign_in": { "failures": 47 },
    }));
    world.until(&format!("return !!document.querySelector('#row-{id}')"));
    let end = std::time::Instant::now() + crate::world::SOON;
    loop {
        let whole = world.call("GET", &format!("/v1/alerts/{id}"), &Value::Null);
        if whole["is_enriched"] == true {
            return (id, whole);
        }
        assert!(std::time::Instant::now() < end, "its enrichment ends");
        std::thread::yield_now();
    }
}

/// The address of the alert, and what two providers said of it.
fn address(whole: &Value) -> (String, Value, Value) {
    let all = whole["indicators"].as_array().expect("a list");
    let ip = all
        .iter()
        .find(|one| one["value"] == "185.220.101.47")
        .expect("its address");
    let said = |provider: &str, field: &str| {
        ip["enrichment_results"][provider]["extracted"][field].clone()
    };
    (
        ip["uuid"].as_str().expect("an id").to_owned(),
        said("virustotal", "malicious_count"),
        said("abuseipdb", "abuse_confidence_score"),
    )
}

#[test]
fn each_cited_fact_is_checked_and_hostile_words_are_inert() {
    let world = World::start();
    let sink = Recorder::start();
    let (id, whole) = alert(&world);
    let (ip, malicious, score) = address(&whole);
    assert!(
        malicious.is_number() && score.is_number(),
        "{malicious} {score}"
    );
    let path =
        |provider: &str, field: &str| format!("enrichment_results.{provider}.extracted.{field}");
    let claimed = malicious.as_i64().unwrap_or(0) + 33;
    let finding = json!({
        "summary": format!("<img src={0}> <script>window.__hit=1</script> [x](javascript:alert(1)) ![y]({0})", sink.url),
        "verdict": "malicious", "confidence": 0.9,
        "citations": [
            { "claim": format!("VirusTotal {claimed}/94"), "expected": claimed,
              "ref": { "indicator_uuid": ip, "path": path("virustotal", "malicious_count") } },
            { "claim": "AbuseIPDB score", "expected": score,
              "ref": { "indicator_uuid": ip, "path": path("abuseipdb", "abuse_confidence_score") } },
            { "claim": "Another indicator", "expected": 1,
              "ref": { "indicator_uuid": "0198c0de-0000-7000-8000-000000000000", "path": "malice" } },
        ],
    });
    world.walk_to(&format!("/alerts/{id}"));
    shown(&world, "#section-3");
    world.call("POST", &format!("/v1/alerts/{id}/findings"), &finding);
    shown(&world, ".finding");
    for state in ["matches", "differs", "not found"] {
        shown(&world, &format!(".cited__mark[aria-label='{state}']"));
    }
    let both = format!(
        "const line = [...document.querySelectorAll('.cited__line')].find(one => one.textContent.includes('VirusTotal')); \
         return line.textContent.includes('{claimed}') && line.textContent.includes('{malicious}')"
    );
    world.until(&both);
    world.until("const head = document.querySelector('.finding').innerText; return /1 of 3/.test(head) && /1 differs/.test(head)");
    world.keep("evidence-dark-1600");
    let made = "return document.querySelectorAll('main img, main script, main a[href^=\"javascript\"]').length";
    assert_eq!(world.browser.execute(made).expect("a count"), json!(0));
    assert_eq!(
        world
            .browser
            .execute("return window.__hit ?? null")
            .expect("a value"),
        Value::Null
    );
    assert!(sink.received().is_empty(), "nothing was fetched");
    assert_eq!(world.complaints(), [""; 0]);
}

#[test]
fn two_agents_disagree_and_read_what_the_analyst_says() {
    let world = World::start();
    let peer = Recorder::start();
    let (_, first) = world.agent("alpha", &peer.url);
    let (_, second) = world.agent("beta", &peer.url);
    let (id, _) = alert(&world);
    let post = |key: &str, verdict: &str, confidence: f64, expected: i64| {
        let finding = json!({
            "summary": format!("It is {verdict}"), "verdict": verdict, "confidence": confidence,
            "citations": [{ "claim": "Failures", "ref": { "raw_pointer": "/sign_in/failures" }, "expected": expected }],
        });
        world.call_with(key, "POST", &format!("/v1/alerts/{id}/findings"), &finding)
    };
    post(&first, "malicious", 0.9, 47);
    let benign = post(&second, "benign", 0.6, 12);
    world.until(&format!(
        "return document.querySelector('#row-{id}')?.textContent.includes('≠')"
    ));

    strike(&world, "v");
    shown(&world, "[role=menuitemradio]");
    let number = "return [...document.querySelectorAll('[role=menuitemradio]')].findIndex(one => one.textContent.includes('Agents disagree')) + 1";
    let number = world.browser.execute(number).expect("a number");
    strike(&world, &number.to_string());
    world.until(&format!("return !!document.querySelector('#row-{id}')"));
    strike(&world, "g g Enter");
    shown(&world, ".finding");
    strike(&world, "C");
    shown(&world, ".compare");
    let aligned = "return [...document.querySelectorAll('.compare tr')].some(row => row.innerText.includes('47') && row.innerText.includes('12'))";
    world.until(aligned);
    world.keep("compare-dark-1600");

    let uuid = benign["uuid"].as_str().expect("an id");
    let review = json!({ "decision": "disagree", "reason": "wrong_verdict", "comment": "It was a Tor exit" });
    world.call("PUT", &format!("/v1/findings/{uuid}/review"), &review);
    world.sees("It was a Tor exit");
    let read = world.call_with(
        &second,
        "GET",
        &format!("/v1/alerts/{id}/findings"),
        &Value::Null,
    );
    let mine = read
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["uuid"] == uuid);
    assert_eq!(
        mine.expect("its finding")["review"]["comment"],
        "It was a Tor exit"
    );
    assert_eq!(world.complaints(), [""; 0]);
}

#[test]
fn what_was_sent_is_kept_and_its_finding_is_seen() {
    let world = World::start();
    let peer = Recorder::start();
    let (agent, key) = world.agent("triage-bot", &peer.url);
    let (id, _) = alert(&world);
    let end = std::time::Instant::now() + crate::world::SOON;
    while peer.received().is_empty() {
        assert!(std::time::Instant::now() < end, "the agent is told");
        std::thread::yield_now();
    }
    let sent = peer.received()[0].clone();
    let deliveries = world.call(
        "GET",
        &format!("/v1/agents/{agent}/deliveries"),
        &Value::Null,
    );
    let delivery = &deliveries.as_array().expect("a list")[0];
    assert_eq!(
        delivery["body_bytes"],
        json!(sent.body.len()),
        "what was sent is what is kept"
    );
    world.walk_to(&format!("/alerts/{id}"));
    shown(&world, "#section-3");
    let finding = json!({
        "summary": "It is a Tor exit", "verdict": "malicious", "confidence": 0.9,
        "usage": { "model": "local-7b", "input_tokens": 2487, "output_tokens": 793, "cost_usd": 0.014 },
        "delivery_uuid": delivery["uuid"],
    });
    world.call_with(&key, "POST", &format!("/v1/alerts/{id}/findings"), &finding);
    world.sees("It is a Tor exit");
    world.until("const text = document.querySelector('.finding').innerText; return text.includes('local-7b') && /2.?487/.test(text) && text.includes('0.014')");
    assert_eq!(world.complaints(), [""; 0]);
}
