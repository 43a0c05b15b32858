//! What enrichment knows of an account, an address or a domain, in one line for the glance.
//!
//! The names are those of the shipped providers' extracted fields (`assets/catalog/providers`); a
//! provider of one's own that uses the same names is read too.

use calseta_contract::alert::IndicatorView;
use calseta_domain::IndicatorType;
use serde_json::Value;

use crate::text::{clip, visible};

/// A fact is cut to this many characters.
const FACT_CHARS: usize = 48;
/// Facts that a line carries.
const FACTS: usize = 5;

/// The line, or `None` when no provider said anything that it uses.
pub(super) fn about(indicator: &IndicatorView) -> Option<String> {
    let known = Known(indicator);
    let facts = match indicator.kind {
        IndicatorType::Account | IndicatorType::Email => known.of_person(),
        IndicatorType::Ip => known.of_address(),
        IndicatorType::Domain => known.of_domain(),
        _ => Vec::new(),
    };
    let line: Vec<String> = facts.into_iter().flatten().take(FACTS).collect();
    (!line.is_empty()).then(|| line.join(" · "))
}

/// The extracted fields of all its providers.
struct Known<'a>(&'a IndicatorView);

impl Known<'_> {
    /// The first of the fields that any provider has.
    fn field(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| {
            let results = self.0.enrichment_results.values();
            results
                .filter(|result| result.success)
                .find_map(|result| result.extracted.get(*name))
                .filter(|value| !value.is_null())
        })
    }

    fn word(&self, names: &[&str]) -> Option<String> {
        let text = match self.field(names)? {
            Value::String(text) if !text.trim().is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(clip(&visible(&text), FACT_CHARS))
    }

    fn is(&self, name: &str, wanted: bool) -> bool {
        self.field(&[name]) == Some(&Value::Bool(wanted))
    }

    fn of_person(&self) -> Vec<Option<String>> {
        let status = self
            .word(&["status"])
            .filter(|status| status != "ACTIVE")
            .map(|status| format!("account {status}"));
        let disabled = self.is("account_enabled", false);
        vec![
            self.word(&["title", "job_title"]),
            self.word(&["department"]),
            status.or(disabled.then(|| "account disabled".to_owned())),
            self.is("notice_period_active", true)
                .then(|| "in notice period".to_owned()),
            self.word(&["manager_name"])
                .map(|name| format!("manager {name}")),
            self.word(&["last_login"])
                .map(|at| format!("last sign-in {at}")),
            self.word(&["primary_device_name"])
                .map(|name| format!("on {name}")),
        ]
    }

    fn of_address(&self) -> Vec<Option<String>> {
        let network = match (self.word(&["asn"]), self.word(&["as_owner", "isp"])) {
            (Some(number), Some(owner)) => Some(format!("AS{number} {owner}")),
            (Some(number), None) => Some(format!("AS{number}")),
            (None, owner) => owner,
        };
        let flag = |name, said: &str| self.is(name, true).then(|| said.to_owned());
        vec![
            flag("is_internal", "internal").or_else(|| self.word(&["network_zone"])),
            self.word(&["known_asset"]),
            self.word(&["country", "country_code"]),
            network,
            flag("is_tor", "Tor exit"),
            flag("is_vpn", "VPN"),
        ]
    }

    fn of_domain(&self) -> Vec<Option<String>> {
        vec![
            self.word(&["registrar"])
                .map(|name| format!("registrar {name}")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn indicator(kind: &str, results: &Value) -> IndicatorView {
        serde_json::from_value(json!({
            "uuid": "018f0000-0000-7000-8000-000000000001", "type": kind, "value": "x",
            "malice": "Pending", "is_enriched": true,
            "first_seen": "2026-01-01T00:00:00Z", "last_seen": "2026-01-01T00:00:00Z",
            "enrichment_results": results,
        }))
        .expect("an indicator")
    }

    fn result(extracted: &Value) -> Value {
        json!({ "success": true, "malice": "Pending", "extracted": extracted, "enriched_at": "2026-01-01T00:00:00Z" })
    }

    #[test]
    fn a_person_has_a_title_a_manager_and_an_account() {
        let one = indicator(
            "account",
            &json!({
                "okta": result(&json!({ "title": "Controller", "department": "Finance",
                    "status": "SUSPENDED", "manager_name": "R. Roe" })),
            }),
        );
        let said = "Controller · Finance · account SUSPENDED · manager R. Roe";
        assert_eq!(about(&one).as_deref(), Some(said));
    }

    #[test]
    fn an_address_has_a_country_and_a_network() {
        let one = indicator(
            "ip",
            &json!({
                "virustotal": result(&json!({ "country": "DE", "asn": 205_100, "as_owner": "Owner e.V." })),
                "abuseipdb": result(&json!({ "is_tor": true })),
            }),
        );
        assert_eq!(
            about(&one).as_deref(),
            Some("DE · AS205100 Owner e.V. · Tor exit")
        );
    }

    #[test]
    fn a_provider_that_failed_or_says_nothing_gives_no_line() {
        let failed = json!({ "okta": { "success": false, "malice": "Pending", "extracted": { "title": "x" },
            "enriched_at": "2026-01-01T00:00:00Z" } });
        assert_eq!(about(&indicator("account", &failed)), None);
        assert_eq!(about(&indicator("hash_md5", &json!({}))), None);
    }

    #[test]
    fn what_a_provider_says_is_hostile_too() {
        let text = format!("\u{202e}{}", "x".repeat(500));
        let one = indicator(
            "account",
            &json!({ "okta": result(&json!({ "title": text })) }),
        );
        let said = about(&one).expect("a line");
        assert!(said.starts_with("⟨U+202E⟩") && said.chars().count() <= FACT_CHARS);
    }
}
