//! What a shift brings: alerts of many rules and entities, findings that agree and do not, runbooks.
//!
//! Everything comes from a seed and goes in through the API, so that a test of twenty alerts and a
//! measurement of a hundred thousand look at the same kind of queue. Nothing here is hostile; that
//! is the business of the tests that look for it.

use serde_json::{Value, json};

use crate::dice::Dice;

/// Alerts of one body at the most: half of what a list may hold.
pub const ALERTS_A_BODY: usize = 250;
/// An alert repeats the one before it, as a duplicate, once in this many.
const REPEATED: usize = 12;
/// The noisy rule raises one alert in this many.
const NOISY: usize = 3;
/// The name of the rule that is wrong most of the time.
pub const NOISY_RULE: &str = "Impossible travel";

/// A rule: its name, what its alerts are called, the severity, a tag, and its tactic's word.
struct Kind {
    rule: &'static str,
    title: &'static str,
    severity: &'static str,
    tag: &'static str,
    text: &'static str,
}

const KINDS: [Kind; 9] = [
    Kind {
        rule: "Ransomware note dropped",
        title: "Ransomware note written on",
        severity: "Critical",
        tag: "ransomware",
        text: "A file called HOW_TO_RECOVER.txt was written to forty folders within two minutes.",
    },
    Kind {
        rule: "Encoded PowerShell",
        title: "Suspicious PowerShell download cradle on",
        severity: "High",
        tag: "execution",
        text: "powershell.exe -nop -w hidden -enc was started by an Office program.",
    },
    Kind {
        rule: "Mailbox rule forwards outside",
        title: "Mailbox rule forwards to an outside address for",
        severity: "Medium",
        tag: "phishing",
        text: "A rule moves every message with the word invoice to a folder and forwards it.",
    },
    Kind {
        rule: "Tunnelled name lookups",
        title: "Name lookups of unusual length from",
        severity: "Medium",
        tag: "exfiltration",
        text: "Eleven thousand lookups of one zone, most of them longer than a hundred characters.",
    },
    Kind {
        rule: "New local administrator",
        title: "Account added to the local administrators of",
        severity: "High",
        tag: "persistence",
        text: "The account is not in the group that the help desk uses.",
    },
    Kind {
        rule: "Port scan",
        title: "Port scan from the guest network against",
        severity: "Low",
        tag: "recon",
        text: "Two hundred ports of one host within a minute.",
    },
    Kind {
        rule: "Consent to an unverified application",
        title: "Consent to an application of an unverified publisher by",
        severity: "Medium",
        tag: "cloud",
        text: "The application asks to read all mail and to stay signed in.",
    },
    Kind {
        rule: "Certificate runs out",
        title: "TLS certificate expires in seven days on",
        severity: "Informational",
        tag: "policy",
        text: "The certificate of the intranet's front page.",
    },
    Kind {
        rule: "Many failed sign-ins",
        title: "Many failed sign-ins, then a success for",
        severity: "High",
        tag: "identity",
        text: "Forty-seven failures from one address, then a success without a second factor.",
    },
];

/// `count` alerts as a list for `POST /v1/ingest/generic`, of a caseload that begins at `first`.
pub fn alerts(dice: &mut Dice, first: usize, count: usize) -> Vec<Value> {
    let mut made: Vec<Value> = Vec::with_capacity(count);
    for n in first..first + count {
        let repeated = made
            .last()
            .filter(|_| n % REPEATED == REPEATED - 1)
            .cloned();
        made.push(repeated.unwrap_or_else(|| alert(dice, n)));
    }
    made
}

/// The alert of number `n`: different from every other.
pub fn alert(dice: &mut Dice, n: usize) -> Value {
    let host = format!(
        "{}-ws-{:04}",
        dice.pick(&["fin", "hr", "dev", "ops"]),
        dice.below(4_000)
    );
    let user = format!("{}.{}", dice.pick(&["n", "j", "a", "m"]), dice.pick(&NAMES));
    let address = format!("185.220.{}.{}", dice.below(16), dice.below(256));
    if n.is_multiple_of(NOISY) {
        return json!({
            "title": format!("{NOISY_RULE} for {user} ({n})"),
            "severity": "Medium", "rule_id": "rule-travel", "rule_name": NOISY_RULE,
            "description": "Two sign-ins that are too far apart for the time between them.",
            "tags": ["identity", "vpn"], "src_ip": address, "user": format!("{user}@example.com"),
            "case": n,
        });
    }
    let kind = dice.pick(&KINDS);
    json!({
        "title": format!("{} {host} ({n})", kind.title),
        "severity": kind.severity,
        "rule_id": format!("rule-{}", kind.tag),
        "rule_name": kind.rule,
        "description": kind.text,
        "tags": [kind.tag, dice.pick(&["endpoint", "network", "identity"])],
        "src_ip": address,
        "domain": format!("{}.example.net", dice.pick(&["cdn", "static", "update", "mail"])),
        "user": format!("{user}@example.com"),
        "process": { "command_line": format!("cmd.exe /c start {host}.bat"), "parent": "explorer.exe" },
        "case": n,
    })
}

const NAMES: [&str; 8] = [
    "hathaway",
    "okafor",
    "lindqvist",
    "moreau",
    "tanaka",
    "castellanos",
    "whitfield",
    "ivanova",
];

/// What an agent posts about an alert; every field of a finding is there now and then.
pub fn finding(dice: &mut Dice) -> Value {
    let (verdict, class, text) = *dice.pick(&[
        (
            "malicious",
            "True Positive - Suspicious Activity",
            "Forty-seven failed sign-ins, then a success from a Tor exit node; no travel on record.",
        ),
        (
            "benign",
            "False Positive - Incorrect Detection Logic",
            "Both addresses belong to the company's own network; the second is the fallback line.",
        ),
        ("suspicious", "Undetermined", "The program is signed, but was never seen on this host."),
        ("inconclusive", "Undetermined", "The process list of the host could not be read."),
    ]);
    let confidence = f64::from(u32::try_from(dice.below(100)).unwrap_or(0)) / 100.0;
    json!({
        "summary": text,
        "verdict": verdict,
        "confidence": confidence,
        "proposed_classification": class,
        "recommended_actions": ["Revoke all active sessions", "Call the user"],
        "details": { "source_ip_analysis": "Known Tor exit node", "failures": dice.below(60) },
        "not_checked": ["mailbox rules"],
        "usage": {
            "model": "local-7b", "input_tokens": 2_487, "output_tokens": 793,
            "cost_usd": 0.014, "duration_ms": 6_100,
        },
    })
}

/// A runbook with a checklist, a table and a code block, for every alert.
pub fn runbook() -> Value {
    json!({
        "title": "Runbook: sign-in from an unfamiliar place",
        "document_type": "runbook",
        "is_global": true,
        "description": "What to do first, and whom to call.",
        "tags": ["identity"],
        "content": "# First steps\n\n- [ ] Call the user\n- [ ] Revoke all sessions\n- [ ] Reset the \
                    password\n\n## Who to call\n\n| Team | When |\n|---|---|\n| Help desk | by day |\n\
                    | On call | by night |\n\nCheck with:\n\n```\nGet-SignInLogs -User <upn> -Days 7\n```\n\n\
                    > Nobody resets a service account without its owner.\n",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_brings_the_same_alerts() {
        let make = || alerts(&mut Dice::new(3), 0, 50);
        assert_eq!(make(), make());
    }

    #[test]
    fn a_third_is_noise_and_some_repeat() {
        let made = alerts(&mut Dice::new(3), 0, 120);
        let noisy = made.iter().filter(|alert| alert["rule_name"] == NOISY_RULE);
        assert!((30..=50).contains(&noisy.count()));
        let repeats = made.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert_eq!(repeats, 10);
    }
}
