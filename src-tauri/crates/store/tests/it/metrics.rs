//! Counting alerts and queues over a window.

use calseta_domain::metrics::Window;
use calseta_domain::{AlertStatus, CloseClassification, Timestamp};
use calseta_store::tables::{alert, delivery, metrics};

use crate::world::{fresh, insert_agent, insert_alert, insert_delivery, now};

fn later(millis: i64) -> Timestamp {
    now().plus_millis(millis)
}

fn window(from: i64, to: i64) -> Window {
    Window {
        from: later(from),
        to: later(to),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_has_its_beginning_and_not_its_end_and_every_alert_is_counted_once() {
    let (_dir, store) = fresh();
    store
        .write(|tx| {
            for n in 1..=6 {
                insert_alert(tx, n)?;
            }
            let mut closed = alert::by_row(tx, 1)?.expect("it is there");
            closed.status = AlertStatus::Closed;
            closed.close_classification = Some(CloseClassification::ALL[2]);
            closed.acknowledged_at = Some(later(2_000));
            closed.closed_at = Some(later(60_000));
            alert::update(tx, &closed)?;

            let figures = metrics::alerts(tx, window(0, 1), None)?;
            assert_eq!((figures.total, figures.active, figures.closed()), (6, 5, 1));
            assert_eq!(figures.by_status[&AlertStatus::Open], 5);
            assert_eq!(figures.by_severity.values().sum::<u64>(), 6);
            assert_eq!(figures.by_source["generic"], 6);
            assert_eq!(figures.by_day.values().sum::<u64>(), 6);
            assert!(
                CloseClassification::ALL[2]
                    .as_str()
                    .starts_with("False Positive"),
                "the case below is about a false positive"
            );
            assert_eq!(figures.false_positives_by_day.values().sum::<u64>(), 1);
            assert_eq!(figures.to_acknowledge, [2_000]);
            assert_eq!(figures.to_conclude, [60_000]);
            assert_eq!(figures.to_triage, [0_i64; 0]);

            let before = metrics::alerts(tx, window(-10, 0), None)?;
            let after = metrics::alerts(tx, window(1, 10), None)?;
            assert_eq!((before.total, after.total), (0, 0), "half open");
            Ok::<_, calseta_store::StoreError>(())
        })
        .await
        .expect("counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_says_what_waits_and_since_when() {
    let (_dir, store) = fresh();
    store
        .write(|tx| {
            let agent = insert_agent(tx)?;
            let alert = insert_alert(tx, 1)?;
            let id = insert_delivery(tx, (alert, agent), 1)?.expect("a new one");
            let waiting = metrics::deliveries(tx, later(-1_000), later(5_000))?;
            assert_eq!((waiting.pending, waiting.in_progress), (1, 0));
            assert!(waiting.oldest_due.is_some(), "something is due");
            assert!(delivery::cancel(tx, id)?);
            let after = metrics::deliveries(tx, later(-1_000), later(5_000))?;
            assert_eq!((after.pending, after.oldest_due), (0, None));
            Ok::<_, calseta_store::StoreError>(())
        })
        .await
        .expect("counted");
}
