//! The layout of the project, checked: who may import whom, and what every file must keep.
//!
//! Each rule has a control: a made-up manifest or source that breaks it must be reported, because a
//! check that cannot fail protects nothing.

mod controls;
mod manifests;
mod pages;
mod sources;
mod tree;

use crate::tree::Tree;

#[test]
fn the_manifests_keep_the_rules() {
    let tree = Tree::read().expect("the checkout can be read");
    let rooms: Vec<&str> = tree.members.iter().map(|m| m.room.as_str()).collect();
    for room in ["shell", "domain", "store", "server", "ui", "tests"] {
        assert!(rooms.contains(&room), "{room} was not looked at: {rooms:?}");
    }
    let found = manifests::all(&tree);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_sources_keep_the_rules() {
    let tree = Tree::read().expect("the checkout can be read");
    for member in tree.members.iter().filter(|m| m.room != "shell") {
        let count = member.sources.len();
        assert!(count > 0, "no source of {} was looked at", member.room);
    }
    let found = sources::all(&tree);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
