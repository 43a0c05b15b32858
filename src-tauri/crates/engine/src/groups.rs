//! The queue in groups: alerts of one rule, about one entity, from one source, or repetitions of one.

use calseta_contract::search::{AlertGroup, GroupsView, LastClosed};
use calseta_domain::query::{Expr, Group, Query};
use calseta_store::tables::alert_list::{AlertQuery, COUNT_CAP};
use calseta_store::tables::search::{self, GroupRow};

use crate::{Engine, Problem};

impl Engine {
    /// `GET /v1/alerts/groups`: how the alerts that a query finds come together.
    pub async fn alert_groups(&self, query: AlertQuery, by: Group) -> Result<GroupsView, Problem> {
        let now = self.inner.clock.now();
        let given = query.query.clone();
        let found = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(search::groups(tx, &query, by)?))
            .await?;
        let given = given.unwrap_or(Query {
            expr: Expr::All(Vec::new()),
            sort: None,
            group: None,
            now,
        });
        Ok(GroupsView {
            total: found.total.min(COUNT_CAP),
            total_is_capped: found.total > COUNT_CAP,
            groups: found
                .groups
                .into_iter()
                .map(|group| shown(group, &given))
                .collect(),
        })
    }
}

fn shown(group: GroupRow, given: &Query) -> AlertGroup {
    let members = Query {
        expr: Expr::all(vec![given.expr.clone(), group.own]),
        group: None,
        ..given.clone()
    };
    AlertGroup {
        key: group.key,
        label: group.label,
        q: members.to_string(),
        count: group.count,
        worst_severity: group.worst,
        worst_malice: group.malice,
        oldest_at: group.oldest,
        newest_at: group.newest,
        last_closed: group.last_closed.map(|(false_positives, of)| LastClosed {
            of,
            false_positives,
        }),
    }
}
