//! What an API does not give out, or this console does otherwise: said at the end, with numbers where there are any.

use super::Session;

impl Session {
    /// A line each.
    pub(super) async fn left_behind(&self) -> Vec<String> {
        let counted = [
            (
                "/v1/api-keys",
                "API keys",
                "make new ones: calseta keys create",
            ),
            (
                "/v1/workflows",
                "workflows",
                "their Python code is not run here; write them anew as steps",
            ),
            (
                "/v1/workflow-approvals",
                "approval requests",
                "they belong to runs that happened there",
            ),
        ];
        let mut lines = Vec::new();
        for (path, what, why) in counted {
            let number = match self.there.count(path).await {
                Ok(Some(number)) => number.to_string(),
                _ => "nobody knows how many".to_owned(),
            };
            lines.push(format!("{what}: {number}; {why}"));
        }
        let always = [
            "secrets (providers' credentials, agents' headers, sources' webhook secrets): no server gives them out",
            "activity, delivery attempts and workflow runs: this console begins its own log",
            "settings and changes to what is built in (providers switched off, other verdict rules)",
            "analysts' verdicts on single indicators, and older versions of documents",
            "when alerts came, were acknowledged, triaged and closed: the lines of alerts have it as original",
        ];
        lines.extend(always.map(str::to_owned));
        lines
    }
}
