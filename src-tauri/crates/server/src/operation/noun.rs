//! The nouns of the API, in the order in which the pages and the document list them.

macro_rules! nouns {
    ($($name:ident => $slug:literal, $title:literal, $text:literal;)+) => {
        /// What a group of operations is about: a tag of the document, a page of `/docs`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Noun { $($name),+ }

        impl Noun {
            /// All of them, in order.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As it stands in a path.
            pub(crate) const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),+ }
            }

            /// As a heading.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// What it is.
            pub(crate) const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

nouns! {
    Ingest => "ingest", "Ingest",
        "Alerts come in here. A 202 is a promise: the alert survives a crash and a power loss.";
    Alerts => "alerts", "Alerts",
        "Normalised alerts with their life, from Open to Closed.";
    Search => "search", "Search",
        "Facets, groups, completion and saved views over one filter grammar, and one box for everything.";
    Changes => "changes", "Changes",
        "Many alerts at once, and taking back what was done.";
    Suppressions => "suppressions", "Suppressions",
        "What stays out of the queue for a while: counted, never dropped.";
    Findings => "findings", "Findings",
        "What agents and people concluded about an alert. A finding is never changed.";
    Indicators => "indicators", "Indicators",
        "Addresses, domains, hashes and accounts, shared by all alerts that name them.";
    IndicatorMappings => "indicator-mappings", "Indicator mappings",
        "Where in an alert indicators are looked for.";
    DetectionRules => "detection-rules", "Detection rules",
        "What detected an alert: its documentation and its MITRE ATT&CK names.";
    ContextDocuments => "context-documents", "Context documents",
        "Runbooks and the like, targeted at the alerts that they help with.";
    Enrichments => "enrichments", "Enrichments",
        "Asking the providers about one indicator.";
    Providers => "enrichment-providers", "Enrichment providers",
        "Services that are asked about indicators: definitions, credentials, quotas.";
    FieldExtractions => "enrichment-field-extractions", "Field extractions",
        "Which fields of a provider's answer are kept.";
    Agents => "agents", "Agents",
        "Programs that receive enriched alerts as signed webhooks and answer with findings.";
    Deliveries => "deliveries", "Deliveries",
        "One alert for one agent: the exact body, every attempt, sending again.";
    Jobs => "jobs", "Jobs in quarantine",
        "Work that ended the program or hung three times in a row: kept apart, shown, tried again on demand.";
    Sources => "sources", "Sources",
        "Where alerts come from, what was rejected, and how it is played again.";
    ApiKeys => "api-keys", "API keys",
        "Who may do what. A key is shown once, when it is made.";
    Events => "events", "Events and activity",
        "One log of everything that happened: as a stream, by long poll, and as a list.";
    Metrics => "metrics", "Metrics",
        "Figures about alerts, rules and the work on them.";
    Settings => "settings", "Settings",
        "What the console can be told, with the schema of every setting.";
    Backups => "backups", "Backups",
        "Whole copies of everything but the master key.";
    Retention => "retention", "Retention",
        "What is removed with time, and what that would be.";
    Egress => "egress", "Outgoing requests",
        "What left the machine, and the private addresses that a human has allowed.";
    Health => "health", "Health and documentation",
        "Whether it works, and these pages. No key is needed.";
    Window => "window", "Window",
        "What the window asks for itself. No API key opens these.";
}
