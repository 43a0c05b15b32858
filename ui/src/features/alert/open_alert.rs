//! The open alert as it is read and read again: live, without losing the reader's place.
//!
//! Sections read slices of it through memos, so an event paints only what changed; scroll,
//! focus and unfolded details stay.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use calseta_contract::agent::AgentView;
use calseta_contract::alert::{ActivityView, AlertSummary};
use calseta_contract::delivery::DeliveryView;
use calseta_contract::triage::FlagsRequest;
use calseta_domain::{AgentId, AlertId, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, AlertDetail, Failure};
use crate::state::live::{Change, Live};
use crate::state::queue::Queue;

/// Events of the same moment are answered with one read.
const GATHER: Duration = Duration::from_millis(60);

/// The alert of the page.
#[derive(Clone, Copy)]
pub(super) struct OpenAlert {
    id: Memo<Option<AlertId>>,
    detail: RwSignal<Option<Arc<AlertDetail>>>,
    activity: RwSignal<Vec<ActivityView>>,
    deliveries: RwSignal<Vec<DeliveryView>>,
    agents: RwSignal<HashMap<AgentId, AgentView>>,
    failure: RwSignal<Option<Failure>>,
    /// When the analyst had looked at it before now.
    looked_before: RwSignal<Option<Timestamp>>,
    /// The alert whose opening was noted already: reading it again is no second look.
    greeted: StoredValue<Option<AlertId>>,
    pending: StoredValue<bool>,
    /// Grows with every read, so that an answer that was overtaken is dropped.
    generation: StoredValue<u64>,
    queue: StoredValue<Queue>,
}

impl OpenAlert {
    /// Follows the alert that `id` names until the page goes away.
    pub(super) fn follow(id: Memo<Option<AlertId>>) -> Self {
        let queue = Queue::expect();
        let open = Self {
            id,
            detail: RwSignal::new(None),
            activity: RwSignal::new(Vec::new()),
            deliveries: RwSignal::new(Vec::new()),
            agents: RwSignal::new(HashMap::new()),
            failure: RwSignal::new(None),
            looked_before: RwSignal::new(None),
            greeted: StoredValue::new(None),
            pending: StoredValue::new(false),
            generation: StoredValue::new(0),
            queue: StoredValue::new(queue),
        };
        Effect::new(move |_| {
            let id = id.get();
            queue.set_open(id);
            queue.focus(id.or_else(|| untrack(|| queue.focused())));
            open.detail.set(None);
            open.failure.set(None);
            open.looked_before.set(None);
            open.greeted.set_value(None);
            open.activity.set(Vec::new());
            open.deliveries.set(Vec::new());
            open.reload();
        });
        on_cleanup(move || queue.set_open(None));
        Live::expect().listen(move |change| match change {
            Change::Gap => open.reload_soon(),
            Change::Events(events) => {
                let id = open.id.get_untracked();
                if events
                    .iter()
                    .any(|event| event.alert_uuid == id && id.is_some())
                {
                    open.reload_soon();
                }
            }
        });
        open
    }

    /// Which alert it is; `None` when the address names none.
    pub(super) fn id(self) -> Option<AlertId> {
        self.id.get()
    }

    /// The same without running again; `None` also when the page has gone.
    pub(super) fn peek_id(self) -> Option<AlertId> {
        self.id.try_get_untracked().flatten()
    }

    /// Everything, once it is read.
    pub(super) fn detail(self) -> Option<Arc<AlertDetail>> {
        self.detail.get()
    }

    /// A part of it; painted again only when this part changed.
    pub(super) fn slice<T>(
        self,
        part: impl Fn(&AlertDetail) -> T + Send + Sync + 'static,
    ) -> Memo<Option<T>>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.detail.with(|detail| detail.as_deref().map(&part)))
    }

    /// The summary: as read, else as the queue's row has it, so that the head is there at once.
    pub(super) fn summary(self) -> Memo<Option<AlertSummary>> {
        Memo::new(move |_| {
            let read = self
                .detail
                .with(|d| d.as_ref().map(|d| d.view.summary.clone()));
            read.or_else(|| {
                let row = self.id.get().and_then(|id| self.queue.get_value().row(id));
                row.map(|row| AlertSummary::clone(&row.alert))
            })
        })
    }

    /// What happened, newest first.
    pub(super) fn activity(self) -> Vec<ActivityView> {
        self.activity.get()
    }

    /// To whom it was sent.
    pub(super) fn deliveries(self) -> Vec<DeliveryView> {
        self.deliveries.get()
    }

    /// An agent's name.
    pub(super) fn agent_name(self, id: AgentId) -> String {
        let known = self
            .agents
            .with(|agents| agents.get(&id).map(|agent| agent.name.clone()));
        known.unwrap_or_else(|| "An agent".to_owned())
    }

    /// What is known of an agent.
    pub(super) fn agent(self, id: AgentId) -> Option<AgentView> {
        self.agents.with(|agents| agents.get(&id).cloned())
    }

    /// When the analyst had looked at it before this time; `None` at the first look.
    pub(super) fn looked_before(self) -> Option<Timestamp> {
        self.looked_before.get()
    }

    /// Why the last read failed.
    pub(super) fn failure(self) -> Option<Failure> {
        self.failure.get()
    }

    fn reload_soon(self) {
        if self.pending.try_get_value() == Some(false) {
            self.pending.set_value(true);
            set_timeout(
                move || {
                    if self.pending.try_set_value(false).is_none() {
                        self.reload();
                    }
                },
                GATHER,
            );
        }
    }

    /// Reads it again; what is shown stays until the answer is there.
    pub(super) fn reload(self) {
        let Some(id) = self.id.get_untracked() else {
            return;
        };
        let generation = self.generation.get_value() + 1;
        self.generation.set_value(generation);
        spawn_local(async move {
            let outcome = api::get_alert(id).await;
            if self.generation.try_get_value() != Some(generation) {
                return;
            }
            match outcome {
                Ok(detail) => {
                    self.failure.set(None);
                    self.queue
                        .get_value()
                        .set_open_status(id, detail.view.summary.status);
                    self.greet(id, &detail);
                    self.detail.set(Some(detail));
                }
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
        spawn_local(async move {
            // The sections say for themselves that there is nothing; the page has its own banner.
            if let Ok(activity) = api::activity(id).await
                && self.id.try_get_untracked() == Some(Some(id))
            {
                self.activity.set(activity);
            }
        });
        spawn_local(self.read_deliveries(id));
    }

    /// Notes that the analyst has it before them, once each time it is opened.
    fn greet(self, id: AlertId, detail: &AlertDetail) {
        if self.greeted.get_value() == Some(id) {
            return;
        }
        self.greeted.set_value(Some(id));
        self.looked_before.set(detail.view.last_viewed_at);
        let queue = self.queue.get_value();
        spawn_local(async move {
            let read = FlagsRequest {
                unread: Some(false),
                flagged: None,
            };
            // A mark that was not kept is no harm: the alert stays unread and is marked next time.
            if api::set_flags(id, read).await.is_ok() {
                queue.assume(&[id], |alert| alert.is_unread = false);
                queue.update(|list| list.settle(id));
            }
        });
    }

    async fn read_deliveries(self, id: AlertId) {
        let Ok(deliveries) = api::alert_deliveries(id).await else {
            return;
        };
        if self.id.try_get_untracked() != Some(Some(id)) {
            return;
        }
        let unknown = self.agents.with_untracked(|agents| {
            deliveries
                .iter()
                .any(|d| !agents.contains_key(&d.agent_uuid))
        });
        self.deliveries.set(deliveries);
        if unknown && let Ok(agents) = api::list_agents().await {
            self.agents
                .try_set(agents.into_iter().map(|a| (a.uuid, a)).collect());
        }
    }
}
