//! What a person configures: rejects stay bounded, documents keep their history, a provider that
//! goes leaves nothing.

use calseta_domain::{
    DocumentId, Indicator, IndicatorId, IndicatorType, Malice, Plugin, ProviderId, RejectId,
    SourceId,
};
use calseta_store::tables::document::{self, DocumentFilter, DocumentRow, DocumentSort};
use calseta_store::tables::enrichment::{self, Answer};
use calseta_store::tables::provider::{self, ProviderRow};
use calseta_store::tables::reject::{self, KEPT_BYTES, KEPT_ROWS, NewReject};
use calseta_store::tables::{
    Direction, Slice, indicator, integrity, job, provider_usage, setting, source,
};
use calseta_store::{Store, StoreError, WriteTx};
use serde_json::Map;
use uuid::Uuid;

use crate::world::{fresh, insert_alert, now};

const ALL: Slice = Slice {
    limit: 5_000,
    offset: 0,
};

async fn with_source(store: &Store) -> i64 {
    store
        .write(|tx: &WriteTx<'_>| {
            source::ensure(
                tx,
                SourceId::new(Uuid::from_u128(1)),
                "generic",
                Plugin::Generic,
                now(),
            )?;
            let row = source::by_name(tx, "generic")?;
            Ok::<_, StoreError>(row.expect("it was just added").id)
        })
        .await
        .expect("a source is kept")
}

async fn refuse(store: &Store, source: i64, n: u64, bytes: usize) {
    store
        .write(move |tx: &WriteTx<'_>| {
            reject::insert(
                tx,
                &NewReject {
                    uuid: RejectId::new(Uuid::from_u128(u128::from(n) + 1)),
                    source,
                    at: now(),
                    code: "INVALID_PAYLOAD",
                    reason: "no title",
                    key_prefix: None,
                    payload: &vec![b'x'; bytes],
                },
            )
        })
        .await
        .expect("a reject is kept");
}

async fn rejects(store: &Store, source: i64) -> (Vec<u64>, u64) {
    let read = store.read(move |tx| reject::page(tx, source, ALL)).await;
    let (rows, total) = read.expect("a page");
    assert_eq!(rows.len() as u64, total);
    (rows.iter().map(|row| row.bytes).collect(), total)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_rejects_the_newest_thousand_stay() {
    let (_dir, store) = fresh();
    let source = with_source(&store).await;
    for n in 0..KEPT_ROWS + 5 {
        refuse(&store, source, n, usize::try_from(n).unwrap()).await;
    }
    let (sizes, total) = rejects(&store, source).await;
    assert_eq!(total, KEPT_ROWS);
    assert_eq!(sizes.first(), Some(&(KEPT_ROWS + 4)), "newest first");
    assert_eq!(sizes.last(), Some(&5), "the five oldest are gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_large_rejects_only_what_fits_stays() {
    let (_dir, store) = fresh();
    let source = with_source(&store).await;
    let large = usize::try_from(KEPT_BYTES / 3).unwrap();
    for n in 0..4 {
        refuse(&store, source, n, large).await;
    }
    assert_eq!(rejects(&store, source).await.1, 3);
    let gone =
        store.write(|tx: &WriteTx<'_>| source::delete(tx, SourceId::new(Uuid::from_u128(1))));
    assert!(gone.await.unwrap());
    assert_eq!(
        rejects(&store, source).await.1,
        0,
        "they go with their source"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_heard_when_an_alert_comes_in() {
    let (_dir, store) = fresh();
    with_source(&store).await;
    let heard = store
        .write(|tx: &WriteTx<'_>| {
            let before = source::by_name(tx, "generic")?.and_then(|s| s.last_received_at);
            insert_alert(tx, 1)?;
            let after = source::by_name(tx, "generic")?.and_then(|s| s.last_received_at);
            Ok::<_, StoreError>((before, after))
        })
        .await
        .unwrap();
    assert_eq!(heard, (None, Some(now())));
}

fn document(n: u128, content: &str, version: u64) -> DocumentRow {
    DocumentRow {
        id: 0,
        uuid: DocumentId::new(Uuid::from_u128(n)),
        title: format!("document {n}"),
        document_type: "runbook".to_owned(),
        description: None,
        is_global: n.is_multiple_of(2),
        tags: Vec::new(),
        targeting_rules: None,
        content: content.to_owned(),
        version,
        created_at: now(),
        updated_at: now(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_content_of_a_document_stays_readable() {
    let (_dir, store) = fresh();
    let seen = store
        .write(|tx: &WriteTx<'_>| {
            document::put(tx, &document(1, "first", 1), "ann")?;
            document::put(tx, &document(1, "second", 2), "bob")?;
            // A new title is no new content.
            document::put(tx, &document(1, "second", 2), "cyd")?;
            document::put(tx, &document(2, "global", 1), "ann")?;
            let row = document::by_uuid(tx, DocumentId::new(Uuid::from_u128(1)))?.unwrap();
            let (versions, total) = document::versions(tx, row.id, ALL)?;
            assert_eq!(total, 2);
            let first = document::version(tx, row.id, 1)?.unwrap();
            assert_eq!(first.content, "first");
            assert!(document::version(tx, row.id, 3)?.is_none());
            let filter = DocumentFilter {
                is_global: Some(true),
                ..DocumentFilter::default()
            };
            let order = (DocumentSort::Title, Direction::Descending);
            let (heads, _) = document::page(tx, &filter, order, ALL)?;
            assert_eq!(heads.len(), 1);
            assert_eq!(heads[0].content_chars, 6);
            Ok::<_, StoreError>(versions)
        })
        .await
        .unwrap();
    let seen: Vec<_> = seen
        .iter()
        .map(|v| (v.version, v.content.as_str(), v.actor.as_str()))
        .collect();
    assert_eq!(seen, [(2, "second", "bob"), (1, "first", "ann")]);
}

fn own_provider() -> ProviderRow {
    ProviderRow {
        id: 0,
        uuid: ProviderId::new(Uuid::from_u128(9)),
        name: "ours".to_owned(),
        display_name: "Ours".to_owned(),
        description: None,
        is_builtin: false,
        is_active: true,
        mode: "live".to_owned(),
        definition: "{}".to_owned(),
        base_url: None,
        overrides: "{}".to_owned(),
        key_state: "missing".to_owned(),
        blocked_until: None,
        created_at: now(),
        updated_at: now(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_takes_its_answers_and_work_along() {
    let (_dir, store) = fresh();
    let outcome = store.write(|tx: &WriteTx<'_>| {
        let id = provider::insert(tx, &own_provider())?;
        let evil = Indicator::new(IndicatorType::Domain, "evil.example.org").unwrap();
        let indicator = indicator::upsert(tx, IndicatorId::new(Uuid::from_u128(3)), &evil, now())?;
        let alert = insert_alert(tx, 1)?;
        indicator::link(tx, alert, indicator, "source_plugin", "x")?;
        let answer = Answer {
            extracted: &Map::new(),
            malice: Malice::Malicious,
            raw: None,
            expires_at: now(),
            is_demo: false,
        };
        enrichment::store(tx, (indicator, id), &answer, now())?;
        let later = now().plus_millis(60_000);
        job::insert(tx, job::JobKind::Enrich, (indicator, id), later, now())?;
        job::insert(tx, job::JobKind::Match, (alert, 0), later, now())?;
        assert_eq!(provider_usage::add(tx, id, 20_000, 2)?, 2);
        assert_eq!(provider_usage::add(tx, id, 20_000, 3)?, 5);
        assert_eq!(provider_usage::all_of_day(tx, 20_000)?, [(id, 5)]);

        provider::retire(tx, id, now())?;
        assert_eq!(job::depth(tx)?, 1, "only the match is left");
        assert!(job::is_due(tx, job::JobKind::Match, 0, now())?, "and due");
        let changed = provider::forget_answers(tx, id, 100, now())?;
        assert_eq!(changed, Some(vec![indicator]));
        assert_eq!(provider::forget_answers(tx, id, 100, now())?, None);
        assert!(provider::delete(tx, id)?);
        assert!(provider::by_name(tx, "ours")?.is_none());
        assert_eq!(provider_usage::all_of_day(tx, 20_000)?, []);
        let left = indicator::by_row(tx, indicator)?.unwrap();
        assert_eq!(left.malice, Malice::Pending, "nobody says so any more");
        Ok::<_, StoreError>(())
    });
    outcome.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_is_its_text_until_it_is_the_default_again() {
    let (_dir, store) = fresh();
    let outcome = store.write(|tx: &WriteTx<'_>| {
        setting::put(tx, "ingest.paused", "true")?;
        setting::put(tx, "ingest.paused", "false")?;
        assert_eq!(setting::get(tx, "ingest.paused")?.as_deref(), Some("false"));
        assert_eq!(setting::all(tx)?.len(), 1);
        assert!(setting::delete(tx, "ingest.paused")?);
        assert!(!setting::delete(tx, "ingest.paused")?);
        Ok::<_, StoreError>(())
    });
    outcome.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_says_how_large_it_is() {
    let (dir, store) = fresh();
    let facts = store.read(|tx| integrity::facts(tx)).await.unwrap();
    assert!(facts.bytes > 0 && facts.free_bytes < facts.bytes);
    assert!(facts.version >= 6);
    store.close(now()).await;
    let file = std::fs::metadata(dir.path().join("calseta.db")).unwrap();
    assert!(file.len() >= facts.bytes);
}
