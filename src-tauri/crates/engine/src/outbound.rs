//! The outbound client's rules as the settings have them: air gap, proxy, additional authorities.

use std::io::Read as _;

use calseta_egress::{Authorities, MAX_CA_FILE_BYTES, Proxy, Rules};

use crate::{Problem, Settings};

/// The rules that the settings ask for; an error names the setting that cannot be obeyed.
pub(crate) fn rules(settings: &Settings) -> Result<Rules, Problem> {
    let proxy = settings.text("network", "proxy");
    let proxy = (!proxy.is_empty())
        .then(|| Proxy::parse(&proxy))
        .transpose()
        .map_err(|_| Problem::field("network.proxy", "is no proxy that can be contacted"))?;
    Ok(Rules {
        is_air_gapped: settings.flag("network", "air_gapped"),
        proxy,
        authorities: authorities(&settings.text("network", "ca_file"))?,
    })
}

/// The rules at a start, at which nobody can be asked: without a file that cannot be read, requests
/// that need it fail, and nothing else does.
pub(crate) fn rules_at_start(settings: &Settings) -> Rules {
    rules(settings).unwrap_or_else(|problem| {
        tracing::error!(
            error = problem.message,
            "a network setting cannot be obeyed"
        );
        Rules {
            is_air_gapped: settings.flag("network", "air_gapped"),
            proxy: Proxy::parse(&settings.text("network", "proxy")).ok(),
            ..Rules::default()
        }
    })
}

fn authorities(path: &str) -> Result<Authorities, Problem> {
    if path.is_empty() {
        return Ok(Authorities::default());
    }
    let refuse = |why: String| Problem::field("network.ca_file", why);
    let file = std::fs::File::open(path)
        .map_err(|error| refuse(format!("{path} cannot be read: {error}")))?;
    let mut pem = Vec::new();
    file.take(MAX_CA_FILE_BYTES)
        .read_to_end(&mut pem)
        .map_err(|error| refuse(format!("{path} cannot be read: {error}")))?;
    Authorities::from_pem(&pem).map_err(|error| refuse(format!("{path}: {error}")))
}
