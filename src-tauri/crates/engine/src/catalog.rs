//! The built-in catalogue: providers as data, read from `assets/catalog`.

use calseta_domain::step::ValueType;
use calseta_domain::{ExtractionId, IndicatorType, Timestamp};
use calseta_store::tables::extraction::{self, ExtractionRow};
use calseta_store::tables::provider;
use calseta_store::{StoreError, WriteTx};
use serde_json::Value;

use crate::clock::Ids;

/// The definitions, embedded so that the program needs no files beside it. They are seeded in this
/// order, which is the contract page's and so the order of `enrichment_results` in payloads.
const PROVIDERS: &[&str] = &[
    include_str!("../../../../assets/catalog/providers/virustotal.json"),
    include_str!("../../../../assets/catalog/providers/abuseipdb.json"),
    include_str!("../../../../assets/catalog/providers/okta.json"),
    include_str!("../../../../assets/catalog/providers/entra.json"),
    include_str!("../../../../assets/catalog/providers/internal_ip_intel.json"),
    include_str!("../../../../assets/catalog/providers/hr_insider_risk.json"),
    include_str!("../../../../assets/catalog/providers/asset_management.json"),
];

/// A field that a built-in provider's answers give.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    kind: IndicatorType,
    path: String,
    key: String,
    value_type: ValueType,
}

/// A built-in provider.
#[derive(Debug, Clone)]
pub(crate) struct CatalogueEntry {
    name: String,
    display_name: String,
    description: String,
    /// The whole definition, compact.
    definition: String,
    fields: Vec<Field>,
}

/// All built-in providers. An error is a mistake in the program's own files.
pub(crate) fn providers() -> Result<Vec<CatalogueEntry>, String> {
    PROVIDERS.iter().map(|text| entry(text)).collect()
}

fn entry(text: &str) -> Result<CatalogueEntry, String> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let field = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| format!("a built-in provider has no {name}"))
    };
    let (name, display_name) = (field("provider_name")?, field("display_name")?);
    let description = field("description")?;
    let fields = fields(&value).map_err(|error| format!("{name}: {error}"))?;
    if let Some(map) = value.as_object_mut() {
        // They are rows of their own, so that a person can switch one off or add another.
        map.shift_remove("extractions");
    }
    Ok(CatalogueEntry {
        name,
        display_name,
        description,
        definition: value.to_string(),
        fields,
    })
}

/// `extractions: {type | "*": [[path, key, value type], …]}`.
fn fields(value: &Value) -> Result<Vec<Field>, String> {
    let types = value["supported_indicator_types"].as_array();
    let types: Vec<&str> = types
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut fields = Vec::new();
    for (kind, list) in value["extractions"].as_object().into_iter().flatten() {
        let kinds = if kind == "*" {
            types.clone()
        } else {
            vec![&**kind]
        };
        for rule in list.as_array().into_iter().flatten() {
            let [path, key, word] = [&rule[0], &rule[1], &rule[2]].map(Value::as_str);
            let (Some(path), Some(key), Some(word)) = (path, key, word) else {
                return Err("an extraction is [path, key, value type]".to_owned());
            };
            for kind in &kinds {
                fields.push(Field {
                    kind: kind.parse().map_err(|_| format!("{kind} is no type"))?,
                    path: path.to_owned(),
                    key: key.to_owned(),
                    value_type: word
                        .parse()
                        .map_err(|_| format!("{word} is no value type"))?,
                });
            }
        }
    }
    Ok(fields)
}

impl CatalogueEntry {
    /// Stores it, or brings what is there up to date; what people set stays.
    pub(crate) fn store(&self, tx: &WriteTx<'_>, now: Timestamp) -> Result<(), StoreError> {
        let texts = (&*self.name, &*self.display_name, &*self.description);
        provider::ensure_builtin(tx, Ids.next(), texts, &self.definition, now)?;
        let Some(row) = provider::by_name(tx, &self.name)?.filter(|row| row.is_builtin) else {
            return Ok(());
        };
        for field in &self.fields {
            let id: ExtractionId = Ids.next();
            extraction::ensure_system(
                tx,
                &ExtractionRow {
                    id: 0,
                    uuid: id,
                    provider: row.id,
                    provider_name: self.name.clone(),
                    indicator_type: field.kind,
                    source_path: field.path.clone(),
                    target_key: field.key.clone(),
                    value_type: field.value_type,
                    is_active: true,
                    is_system: true,
                    description: None,
                    created_at: now,
                    updated_at: now,
                },
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_of_the_catalogue_can_be_read() {
        let entries = providers().expect("the program's own files are right");
        let names: Vec<_> = entries.iter().map(|entry| &*entry.name).collect();
        let seven = [
            "virustotal",
            "abuseipdb",
            "okta",
            "entra",
            "internal_ip_intel",
            "hr_insider_risk",
            "asset_management",
        ];
        assert_eq!(names, seven);
        assert!(entries.iter().all(|entry| !entry.fields.is_empty()));
    }
}
