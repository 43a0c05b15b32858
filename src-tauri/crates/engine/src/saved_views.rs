//! Saved views of the queue: queries that have a name, and how many alerts each finds now.

use calseta_contract::Patch;
use calseta_contract::search::{SavedView, SavedViewPatch, SavedViewRequest, ViewCount};
use calseta_domain::{ErrorCode, FieldError, Timestamp, ViewId};
use calseta_store::tables::alert_list::COUNT_CAP;
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::search;
use calseta_store::tables::view::{self, ViewRow};
use calseta_store::{StoreError, WriteTx};
use serde_json::{Map, json};

use crate::documents::set;
use crate::search::read;
use crate::{Engine, Principal, Problem};

/// The longest name.
const NAME_MAX: usize = 100;
/// The most columns of one view, and the longest name of one.
const COLUMNS_MAX: (usize, usize) = (40, 64);
/// The most views: the switcher counts all of them.
const VIEWS_MAX: usize = 200;
/// The densities.
const DENSITIES: &[&str] = &["compact", "cosy", "comfortable"];

fn shown(row: ViewRow) -> SavedView {
    SavedView {
        uuid: row.uuid,
        name: row.name,
        q: row.q,
        columns: row.columns,
        density: row.density,
        is_default: row.is_default,
        is_builtin: row.is_builtin,
        notify: row.notify,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn not_found() -> Problem {
    Problem::not_found("view")
}

fn name_taken(error: StoreError, name: &str) -> Problem {
    match error {
        StoreError::Conflict => Problem::new(
            ErrorCode::DuplicateView,
            format!("there is a view {name:?} already; choose another name"),
        ),
        other => other.into(),
    }
}

fn check(row: &ViewRow, now: Timestamp) -> Result<(), Problem> {
    let mut errors = Vec::new();
    let length = row.name.trim().chars().count();
    if length == 0 || length > NAME_MAX {
        let message = format!("must have 1 to {NAME_MAX} characters");
        errors.push(FieldError::new("name", message));
    }
    if !DENSITIES.contains(&&*row.density) {
        let error = FieldError::unknown_word("density", "density", &row.density, DENSITIES);
        errors.push(error);
    }
    let is_short = |column: &String| !column.is_empty() && column.len() <= COLUMNS_MAX.1;
    if row.columns.len() > COLUMNS_MAX.0 || !row.columns.iter().all(is_short) {
        let message = format!("must be at most {} names of columns", COLUMNS_MAX.0);
        errors.push(FieldError::new("columns", message));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(&errors));
    }
    read(&row.q, now).map(drop)
}

fn record(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (row, what): (&ViewRow, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut detail = Map::new();
    detail.insert("view".to_owned(), json!(what));
    detail.insert("name".to_owned(), json!(row.name));
    detail.insert("q".to_owned(), json!(row.q));
    event::append(
        tx,
        NewEvent {
            at: now,
            actor,
            kind: "view.updated",
            object: ("view", Some(row.uuid.uuid())),
            alert: None,
            detail,
        },
    )?;
    Ok(())
}

fn apply(row: &mut ViewRow, patch: SavedViewPatch) -> Result<(), Problem> {
    let mut errors = Vec::new();
    set(&mut errors, "name", &mut row.name, patch.name);
    set(&mut errors, "q", &mut row.q, patch.q);
    set(
        &mut errors,
        "is_default",
        &mut row.is_default,
        patch.is_default,
    );
    set(&mut errors, "notify", &mut row.notify, patch.notify);
    match patch.columns {
        Patch::Keep => {}
        Patch::Clear => row.columns.clear(),
        Patch::Set(columns) => row.columns = columns,
    }
    match patch.density {
        Patch::Keep => {}
        Patch::Clear => DENSITIES[0].clone_into(&mut row.density),
        Patch::Set(density) => row.density = density,
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(&errors))
    }
}

impl Engine {
    /// `GET /v1/views`: in the order of the switcher.
    pub async fn saved_views(&self) -> Result<Vec<SavedView>, Problem> {
        let rows = self
            .inner
            .store
            .read(|tx| Ok::<_, Problem>(view::all(tx)?))
            .await?;
        Ok(rows.into_iter().map(shown).collect())
    }

    /// `GET /v1/views/{uuid}`.
    pub async fn saved_view(&self, id: ViewId) -> Result<SavedView, Problem> {
        let row = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(view::by_uuid(tx, id)?))
            .await?;
        row.map(shown).ok_or_else(not_found)
    }

    /// `GET /v1/views/counts`: how many alerts each view finds now, up to the cap. A view whose
    /// query is not understood any more finds nothing.
    pub async fn view_counts(&self) -> Result<Vec<ViewCount>, Problem> {
        let now = self.inner.clock.now();
        self.inner
            .store
            .read(move |tx| {
                let views = view::all(tx)?;
                let (mut counted, mut queries) = (Vec::new(), Vec::new());
                for view in views {
                    if let Ok(query) = read(&view.q, now) {
                        queries.push(query);
                        counted.push(view);
                    }
                }
                let counts = search::counts(tx, &queries)?;
                let counted = counted.into_iter().zip(counts);
                // What cannot be counted in time is at least none.
                let count = |(view, count): (ViewRow, Option<u64>)| ViewCount {
                    uuid: view.uuid,
                    name: view.name,
                    count: count.map_or(0, |count| count.min(COUNT_CAP)),
                    is_capped: count.is_none_or(|count| count > COUNT_CAP),
                };
                Ok::<_, Problem>(counted.map(count).collect())
            })
            .await
    }

    /// `POST /v1/views`.
    pub async fn create_view(
        &self,
        by: &Principal,
        request: SavedViewRequest,
    ) -> Result<SavedView, Problem> {
        by.need_human("saving a view")?;
        let now = self.inner.clock.now();
        let row = ViewRow {
            id: 0,
            uuid: self.inner.ids.next(),
            name: request.name.trim().to_owned(),
            q: request.q,
            columns: request.columns,
            density: request.density.unwrap_or_else(|| DENSITIES[0].to_owned()),
            is_default: request.is_default,
            is_builtin: false,
            notify: request.notify,
            position: 0,
            created_at: now,
            updated_at: now,
        };
        check(&row, now)?;
        let actor = by.actor();
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                if view::all(tx)?.len() >= VIEWS_MAX {
                    let message = format!("there are {VIEWS_MAX} views; delete one first");
                    return Err(Problem::field("name", message));
                }
                view::insert(tx, &row).map_err(|error| name_taken(error, &row.name))?;
                record(tx, &actor, (&row, "created"), now)?;
                Ok(shown(row))
            })
            .await
    }

    /// `PATCH /v1/views/{uuid}`.
    pub async fn patch_view(
        &self,
        by: &Principal,
        id: ViewId,
        patch: SavedViewPatch,
    ) -> Result<SavedView, Problem> {
        by.need_human("changing a view")?;
        let (actor, now) = (by.actor(), self.inner.clock.now());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = view::by_uuid(tx, id)?.ok_or_else(not_found)?;
                let mut row = before.clone();
                apply(&mut row, patch)?;
                check(&row, now)?;
                if row == before {
                    return Ok(shown(row));
                }
                row.updated_at = now;
                view::update(tx, &row).map_err(|error| name_taken(error, &row.name))?;
                record(tx, &actor, (&row, "changed"), now)?;
                Ok(shown(row))
            })
            .await
    }

    /// `DELETE /v1/views/{uuid}`: also one that came with the product; it does not come back.
    pub async fn delete_view(&self, by: &Principal, id: ViewId) -> Result<(), Problem> {
        by.need_human("deleting a view")?;
        let (actor, now) = (by.actor(), self.inner.clock.now());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = view::by_uuid(tx, id)?.ok_or_else(not_found)?;
                view::delete(tx, id)?;
                record(tx, &actor, (&row, "deleted"), now)?;
                Ok(())
            })
            .await
    }
}
