//! The sender's own text of each alert in a bundle.
//!
//! A parsed value forgets how numbers were written, blanks and keys given twice. Evidence is kept
//! as it came, so a bundle's entries are cut out of its text. Values are never built here; what the
//! entries mean is read by the parent module.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Plugin, elastic};

/// The texts of a bundle's entries in their order; `None` when the list stands where only the
/// parsed value shows it (dotted keys).
pub fn entries(plugin: Plugin, text: &str) -> Option<Vec<&RawValue>> {
    if let Ok(list) = serde_json::from_str(text) {
        return Some(list);
    }
    let paths = match plugin {
        Plugin::Generic | Plugin::Splunk => &[],
        Plugin::Sentinel => &["value"][..],
        Plugin::Elastic => elastic::BUNDLES,
    };
    paths.iter().find_map(|path| list_at(text, path))
}

fn list_at<'a>(text: &'a str, path: &str) -> Option<Vec<&'a RawValue>> {
    let mut text = text;
    for key in path.split('.') {
        let object: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        text = object.get(key)?.get();
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_text_wherever_the_vendor_puts_the_list() {
        let one = "{ \"n\": 1.0e+2, \"big\": 123456789012345678901234567890 }";
        for (plugin, text) in [
            (Plugin::Generic, format!("[{one}, {one}]")),
            (Plugin::Sentinel, format!("{{\"value\": [{one}, {one}]}}")),
            (
                Plugin::Elastic,
                format!("{{\"took\": 1, \"hits\": {{\"hits\": [{one}, {one}]}}}}"),
            ),
            (
                Plugin::Elastic,
                format!("{{\"context\": {{\"alerts\": [{one}, {one}]}}}}"),
            ),
        ] {
            let found = entries(plugin, &text).expect("a bundle");
            let texts: Vec<_> = found.into_iter().map(RawValue::get).collect();
            assert_eq!(texts, [one, one], "{plugin}");
        }
        assert!(entries(Plugin::Generic, "{\"value\": []}").is_none());
        assert!(entries(Plugin::Elastic, "{\"hits.hits\": []}").is_none());
    }
}
