//! Faults of what is not here: workflows, approvals, MCP, and the window's own.

use anyhow::{Result, ensure};
use calseta_server::operations;
use calseta_tests::world::{World, repository_text};
use reqwest::Method;

use crate::fault::How::{NotApplicable, Open, ShownBy};
use crate::fault::{Fault, fault};

const WORKFLOWS: &str = "workflows come later: none of their routes is mounted, and nothing is run";
const APPROVALS: &str = "approvals come with workflows: none of their routes is mounted";
const STEPS: &str =
    "there are no scripts: workflows are declared steps, and a stored code is never run";
const NOTIFIERS: &str = "no notifier posts to a chat: the desktop tells the analyst";
const MCP: &str = "MCP comes later: nothing is mounted at its path";

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        23,
        "1.5",
        "A system workflow's code can be edited.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        24,
        "1.5",
        "A single run cannot be read, although the documentation names the route.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        28,
        "2.3",
        "A request for approval that comes by MCP leaves no event.",
        NotApplicable(APPROVALS),
    ),
    fault(
        64,
        "7.1",
        "A workflow's numbers have no bounds and its name no length.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        65,
        "7.1",
        "A workflow has two flags that overlap, and no reader looks at the same.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        66,
        "7.1",
        "Old code of a workflow can be seen in part only and not restored.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        67,
        "7.2",
        "A workflow reads every variable of the process, the database's address among them.",
        NotApplicable(STEPS),
    ),
    fault(
        68,
        "7.2",
        "Entra's reset of authentication methods says it succeeded whatever happened.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        69,
        "7.2",
        "Entra's client puts an account into a path without encoding it.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        70,
        "7.3",
        "A mistake in a script is reported with its column as its line.",
        NotApplicable(STEPS),
    ),
    fault(
        71,
        "7.3",
        "A script may import the whole of the application.",
        NotApplicable(STEPS),
    ),
    fault(
        72,
        "7.3",
        "The sandbox is escaped in one line, and its limits are the whole process's.",
        NotApplicable(STEPS),
    ),
    fault(
        73,
        "7.4",
        "A draft cannot be tested.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        74,
        "7.4",
        "A test's duration is always 0.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        75,
        "7.4",
        "A test with real requests skips the check of addresses.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        76,
        "7.5",
        "An indicator's type is not compared with what the workflow takes.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        77,
        "7.5",
        "The answer that an approval is pending has no meta.",
        NotApplicable(APPROVALS),
    ),
    fault(
        78,
        "7.5",
        "A run counts as timed out when its message says so.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        79,
        "7.5",
        "A run shows the database's own number of its workflow.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        80,
        "7.5",
        "A crash leaves a run queued, with no trace of what it did.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        81,
        "7.6",
        "The answer to a decision lacks the workflow's name and id.",
        NotApplicable(APPROVALS),
    ),
    fault(
        82,
        "7.6",
        "An agent may approve what it asked for itself.",
        NotApplicable(APPROVALS),
    ),
    fault(
        83,
        "7.6",
        "Who decided is a free text of the caller's.",
        NotApplicable(APPROVALS),
    ),
    fault(
        84,
        "7.6",
        "The reason of a rejection is dropped.",
        NotApplicable(APPROVALS),
    ),
    fault(
        85,
        "7.6",
        "A decision past its time is refused and the request stays pending.",
        NotApplicable(APPROVALS),
    ),
    fault(
        86,
        "7.6",
        "Nobody is told of a rejection or an expiry.",
        NotApplicable(APPROVALS),
    ),
    fault(
        87,
        "7.6",
        "A list of pending requests holds expired ones, under a wrong total.",
        NotApplicable(APPROVALS),
    ),
    fault(
        88,
        "7.6",
        "Two approvals at once run the workflow twice.",
        NotApplicable(APPROVALS),
    ),
    fault(
        89,
        "7.6",
        "What runs is the code of now, not the code that was approved.",
        NotApplicable(APPROVALS),
    ),
    fault(
        90,
        "7.6",
        "A notifier without its credentials fails in the log alone.",
        NotApplicable(NOTIFIERS),
    ),
    fault(
        91,
        "7.6",
        "A result is posted beside its thread instead of into it.",
        NotApplicable(NOTIFIERS),
    ),
    fault(
        92,
        "7.6",
        "A callback's signature is not checked when no secret is set.",
        NotApplicable(NOTIFIERS),
    ),
    fault(
        93,
        "7.6",
        "A message says that a decision was taken although it failed.",
        NotApplicable(NOTIFIERS),
    ),
    fault(
        94,
        "7.6",
        "A card's links ask with GET for routes that take POST.",
        NotApplicable(NOTIFIERS),
    ),
    fault(
        95,
        "7.7",
        "Whether a seeded workflow is active is decided once, at its first seeding.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        96,
        "7.7",
        "Workflows without credentials are offered to agents.",
        NotApplicable(WORKFLOWS),
    ),
    fault(
        106,
        "9",
        "A caller of MCP names another key's prefix and acts with its scopes.",
        NotApplicable(MCP),
    ),
    fault(
        107,
        "9",
        "MCP has no rate limit and ignores a key's sources.",
        NotApplicable(MCP),
    ),
    fault(
        108,
        "9.1",
        "An alert read by MCP has no description, verdict or raw payload.",
        NotApplicable(MCP),
    ),
    fault(
        109,
        "9.1",
        "An activity's own fields can be overwritten by its references.",
        NotApplicable(MCP),
    ),
    fault(
        110,
        "9.1",
        "Values with a slash cannot be enriched by MCP.",
        NotApplicable(MCP),
    ),
    fault(
        111,
        "9.2",
        "MCP stores any classification, after which the alert cannot be read.",
        NotApplicable(MCP),
    ),
    fault(
        112,
        "9.2",
        "MCP takes pages of zero and less.",
        NotApplicable(MCP),
    ),
    fault(113, "9.2", "MCP takes any confidence.", NotApplicable(MCP)),
    fault(
        114,
        "9.2",
        "An agent cannot see by MCP what became of its request.",
        NotApplicable(MCP),
    ),
    fault(
        120,
        "12",
        "Lacking one scope logs the analyst out.",
        NotApplicable("the window holds no key: its calls are the analyst's"),
    ),
    fault(
        121,
        "12",
        "The list shows one time and sorts by another.",
        Open("the window's column of times"),
    ),
    fault(
        123,
        "12",
        "A closed alert cannot be reopened in the window.",
        ShownBy(
            "tests/tests/ui/queue.rs",
            "a_closed_alert_is_found_and_reopened_from_its_page",
        ),
    ),
    fault(
        124,
        "12",
        "The page of sources shows a webhook address that does not exist.",
        ShownBy(
            "tests/tests/parity/later.rs",
            "the_documented_addresses_of_sources_exist",
        ),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_to_be_absent_is_absent() -> Result<()> {
    let world = World::fresh().await?;
    for path in [
        "/v1/workflows",
        "/v1/workflow-runs",
        "/v1/workflow-approvals",
        "/v1/approvals/callback/slack",
        "/v1/approvals/callback/teams",
        "/mcp",
        "/sse",
    ] {
        let admin = world.backend.admin();
        let (status, body) = world.backend.call(admin, Method::GET, path, None).await?;
        ensure!(
            status == 404,
            "{path} is there: its rows want a test: {status} {body}"
        );
    }
    Ok(())
}

/// The paths under `/v1/` that a text names.
fn paths(text: &str) -> Vec<String> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "/_-{}".contains(c));
    let found = text.match_indices("/v1/").map(|(at, _)| {
        let rest = &text[at..];
        rest[..rest.find(ends).unwrap_or(rest.len())].to_owned()
    });
    found.collect()
}

/// Whether a path is one of a route's.
fn is_of(path: &str, route: &str) -> bool {
    let (path, route): (Vec<_>, Vec<_>) = (path.split('/').collect(), route.split('/').collect());
    let fits = |(part, place): (&&str, &&str)| part == place || place.starts_with('{');
    path.len() == route.len() && path.iter().zip(&route).all(fits)
}

#[test]
fn the_documented_addresses_of_sources_exist() {
    let routes = operations();
    let there = |path: &str| routes.iter().any(|route| is_of(path, route.path));
    let named = paths(&repository_text("docs/sources.md"));
    assert!(named.len() >= 8, "{named:?}");
    for path in named {
        assert!(
            there(path.trim_end_matches('/')),
            "{path} is documented and not there"
        );
    }
    assert!(
        !there("/v1/alerts/ingest/splunk/x"),
        "v1.1.0's address is not there"
    );
}
