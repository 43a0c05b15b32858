//! Pages by cursor: whatever is inserted meanwhile, nothing is skipped and nothing comes twice.

use std::collections::HashSet;

use calseta_store::tables::alert_list::{
    self, AlertFilter, AlertQuery, AlertSort, Counting, Paging,
};
use calseta_store::{Store, StoreError, WriteTx};

use crate::world::{fresh, insert_alert};

/// Alerts that are there from the beginning.
const FIRST: u64 = 240;
/// Rows a page: no divisor of anything.
const PAGE: u32 = 7;
const SORTS: &[AlertSort] = &[
    AlertSort::OccurredAt,
    AlertSort::CreatedAt,
    AlertSort::Title,
    AlertSort::Status,
    AlertSort::Severity,
    AlertSort::SourceName,
];

async fn add(store: &Store, from: u64, to: u64) {
    let insert = move |tx: &WriteTx<'_>| -> Result<(), StoreError> {
        (from..to).try_for_each(|n| insert_alert(tx, n).map(drop))
    };
    store.write(insert).await.expect("alerts are kept");
}

/// All rows by cursor, with three more alerts before every page.
async fn walk(store: &Store, sort: AlertSort, descending: bool, added: &mut u64) -> Vec<i64> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        add(store, *added, *added + 3).await;
        *added += 3;
        let query = AlertQuery {
            query: None,
            filter: AlertFilter::default(),
            sort,
            descending,
            paging: Paging::After(after),
            limit: PAGE,
            counting: Counting::None,
            include_suppressed: false,
        };
        let page = store
            .read(move |tx| alert_list::page(tx, &query))
            .await
            .expect("a page");
        assert!(page.rows.len() <= PAGE as usize);
        seen.extend(page.rows.iter().map(|row| row.id));
        // Ascending lists grow at their end as fast as they are read: the old rows are enough.
        let all_old = (1..=FIRST).all(|id| i64::try_from(id).is_ok_and(|id| seen.contains(&id)));
        after = page.next;
        if after.is_none() || all_old {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_by_cursor_neither_skip_nor_repeat_while_alerts_come_in() {
    for &sort in SORTS {
        for descending in [true, false] {
            let (_dir, store) = fresh();
            add(&store, 0, FIRST).await;
            let mut added = FIRST;
            let seen = walk(&store, sort, descending, &mut added).await;
            let once: HashSet<i64> = seen.iter().copied().collect();
            assert_eq!(
                once.len(),
                seen.len(),
                "{sort:?} {descending}: an alert came twice"
            );
            let missing: Vec<u64> = (1..=FIRST)
                .filter(|id| !once.contains(&i64::try_from(*id).unwrap_or(0)))
                .collect();
            assert!(
                missing.is_empty(),
                "{sort:?} {descending}: skipped {missing:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_by_offset_would_repeat() {
    let (_dir, store) = fresh();
    add(&store, 0, FIRST).await;
    let (mut seen, mut added) = (Vec::new(), FIRST);
    for offset in (0..FIRST).step_by(PAGE as usize) {
        add(&store, added, added + 3).await;
        added += 3;
        let query = AlertQuery {
            query: None,
            filter: AlertFilter::default(),
            sort: AlertSort::CreatedAt,
            descending: true,
            paging: Paging::Offset(offset),
            limit: PAGE,
            counting: Counting::None,
            include_suppressed: false,
        };
        let page = store
            .read(move |tx| alert_list::page(tx, &query))
            .await
            .expect("a page");
        seen.extend(page.rows.iter().map(|row| row.id));
    }
    let once: HashSet<i64> = seen.iter().copied().collect();
    assert!(
        once.len() < seen.len(),
        "the test above could not have failed"
    );
}
