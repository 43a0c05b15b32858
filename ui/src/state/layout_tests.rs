//! Lines, groups and the way from one to the next.

use super::*;
use crate::state::alert_list::tests::{alert, id};
use crate::state::list_order::ListOrder;

fn list(rules: &[(u128, &str)]) -> AlertList {
    let mut list = AlertList::default();
    let page = rules
        .iter()
        .map(|(n, rule)| AlertSummary {
            detection_rule_name: (!rule.is_empty()).then(|| (*rule).to_owned()),
            ..alert(*n)
        })
        .collect();
    list.replace(page, None, ListOrder::default());
    list
}

fn lines(layout: &Layout) -> Vec<String> {
    (0..layout.len())
        .filter_map(|at| layout.line(at))
        .map(|line| match line {
            Line::Head(key) => format!("[{key}]"),
            Line::Row(one) => format!("{}", one.uuid().as_u128()),
            Line::Peek(_) => "peek".to_owned(),
            Line::Below => "…".to_owned(),
        })
        .collect()
}

#[test]
fn groups_stand_where_their_first_row_stood() {
    let list = list(&[(5, "travel"), (4, ""), (3, "travel"), (2, "dns")]);
    let layout = Layout::of(&list, Group::Rule, &Folds::default());
    assert_eq!(
        lines(&layout),
        ["[travel]", "5", "3", "[]", "4", "[dns]", "2"]
    );
    assert_eq!(layout.group("travel").map(|g| g.members.len()), Some(2));
}

#[test]
fn a_collapsed_group_keeps_its_head_and_its_members() {
    let list = list(&[(5, "travel"), (3, "travel"), (2, "dns")]);
    let folds = Folds {
        collapsed: ["travel".to_owned()].into(),
        peek: None,
    };
    let layout = Layout::of(&list, Group::Rule, &folds);
    assert_eq!(lines(&layout), ["[travel]", "[dns]", "2"]);
    assert_eq!(layout.group("travel").map(|g| g.members.len()), Some(2));
    assert_eq!(layout.shown_rows(), [id(2)]);
}

#[test]
fn a_peek_takes_lines_that_nobody_steps_on() {
    let list = list(&[(2, ""), (1, "")]);
    let folds = Folds {
        collapsed: BTreeSet::new(),
        peek: Some(Peeked::of(id(2))),
    };
    let layout = Layout::of(&list, Group::None, &folds);
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
    let list = list(&[(3, ""), (2, ""), (1, "")]);
    let layout = Layout::of(&list, Group::None, &Folds::default());
    assert_eq!(layout.next_row(id(2), |_| true), Some(id(1)));
    assert_eq!(layout.next_row(id(1), |_| true), Some(id(2)));
    assert_eq!(layout.next_row(id(1), |one| one == id(3)), Some(id(3)));
    assert_eq!(layout.next_row(id(1), |_| false), None);
}
