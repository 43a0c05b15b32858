//! The built-in catalogue: providers as data, read from `assets/catalog`.

use serde_json::Value;

/// The definitions, embedded so that the program needs no files beside it. They are seeded in this
/// order, which is the contract page's and so the order of `enrichment_results` in payloads.
const PROVIDERS: &[&str] = &[
    include_str!("../../../../assets/catalog/providers/virustotal.json"),
    include_str!("../../../../assets/catalog/providers/abuseipdb.json"),
];

/// A built-in provider.
#[derive(Debug, Clone)]
pub(crate) struct CatalogueEntry {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    /// The whole definition, compact.
    pub(crate) definition: String,
}

/// All built-in providers. An error is a mistake in the program's own files.
pub(crate) fn providers() -> Result<Vec<CatalogueEntry>, String> {
    PROVIDERS.iter().map(|text| entry(text)).collect()
}

fn entry(text: &str) -> Result<CatalogueEntry, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let field = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| format!("a built-in provider has no {name}"))
    };
    Ok(CatalogueEntry {
        name: field("provider_name")?,
        display_name: field("display_name")?,
        description: field("description")?,
        definition: value.to_string(),
    })
}
