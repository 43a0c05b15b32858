//! Lines, groups and the way from one to the next.

use super::*;
use crate::state::alert_list::tests::{alert, id};
use crate::state::groups::tests::groups;
use crate::state::list_order::ListOrder;

fn list(ids: &[u128]) -> AlertList {
    let mut list = AlertList::default();
    let page = ids.iter().map(|n| alert(*n)).collect();
    list.replace(page, None, ListOrder::default());
    list
}

/// Three alerts of one rule, two of which were read, and one of another.
fn grouped() -> Groups {
    let mut all = groups(&[("travel", 3), ("dns", 1)]);
    all.take("travel", [id(5), id(3)], Some("next".to_owned()));
    all.take("dns", [id(2)], None);
    all
}

fn lines(layout: &Layout) -> Vec<String> {
    (0..layout.len())
        .filter_map(|at| layout.line(at))
        .map(|line| match line {
            Line::Head(key) => format!("[{key}]"),
            Line::Row(one) => format!("{}", one.uuid().as_u128()),
            Line::Peek(_) => "peek".to_owned(),
            Line::Below => "…".to_owned(),
            Line::More(key) => format!("{key}+"),
        })
        .collect()
}

#[test]
fn groups_stand_as_they_came_each_with_what_was_read_of_it() {
    let layout = Layout::of(&list(&[5, 3, 2]), Some(&grouped()), &Folds::default());
    assert_eq!(
        lines(&layout),
        ["[travel]", "5", "3", "travel+", "[dns]", "2"]
    );
    assert_eq!(layout.group("travel").map(|g| g.count), Some(3));
}

#[test]
fn a_collapsed_group_keeps_its_head_and_its_members() {
    let folds = Folds {
        collapsed: ["travel".to_owned()].into(),
        peek: None,
    };
    let layout = Layout::of(&list(&[5, 3, 2]), Some(&grouped()), &folds);
    assert_eq!(lines(&layout), ["[travel]", "[dns]", "2"]);
    assert_eq!(layout.group("travel").map(|g| g.members.len()), Some(2));
    assert_eq!(layout.shown_rows(), [id(2)]);
}

#[test]
fn what_says_that_there_is_more_is_no_stop() {
    let layout = Layout::of(&list(&[5, 3, 2]), Some(&grouped()), &Folds::default());
    let last = layout.place(&Line::Row(id(3))).expect("its place");
    assert_eq!(layout.step(last, 1), Some(&Line::Head("dns".to_owned())));
}

#[test]
fn a_peek_takes_lines_that_nobody_steps_on() {
    let list = list(&[2, 1]);
    let folds = Folds {
        collapsed: BTreeSet::new(),
        peek: Some(Peeked::of(id(2))),
    };
    let layout = Layout::of(&list, None, &folds);
    assert_eq!(layout.len(), 2 + PEEK_LINES);
    assert_eq!(layout.step(0, 1), Some(&Line::Row(id(1))));
    let last = layout.place(&Line::Row(id(1))).expect("its place");
    assert_eq!(layout.step(last, -1), Some(&Line::Row(id(2))));
    assert_eq!(
        layout.step(last, 1),
        None,
        "there is nothing below the last"
    );
}

#[test]
fn the_next_row_is_below_else_above() {
    let list = list(&[3, 2, 1]);
    let layout = Layout::of(&list, None, &Folds::default());
    assert_eq!(layout.next_row(id(2), |_| true), Some(id(1)));
    assert_eq!(layout.next_row(id(1), |_| true), Some(id(2)));
    assert_eq!(layout.next_row(id(1), |one| one == id(3)), Some(id(3)));
    assert_eq!(layout.next_row(id(1), |_| false), None);
}
