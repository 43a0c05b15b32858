//! A chart: the tree that `domain::chart` computed, as elements of the page, with its data below.

use calseta_domain::chart::{Chart, Child, Element, Table};
use leptos::html;
use leptos::prelude::*;

use crate::text::visible;

/// Where the browser expects elements of this kind to come from.
const SVG: &str = "http://www.w3.org/2000/svg";

/// A chart, and the same as a table that can be unfolded.
#[component]
pub(crate) fn ChartView(
    /// What is drawn.
    #[prop(into)]
    chart: Signal<Chart>,
    /// Called with the `data-node` of what was clicked.
    #[prop(optional, into)]
    on_pick: Option<Callback<String>>,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let Some(frame) = node.get() else { return };
        frame.set_text_content(None);
        chart.with(|chart| {
            if let Some(drawn) = drawn(&chart.root) {
                // A node that was just made can always be put into the page.
                let _ = frame.append_child(&drawn);
            }
        });
    });
    let pick = move |event: leptos::ev::MouseEvent| {
        let Some(on_pick) = on_pick else { return };
        let clicked = event_target::<web_sys::Element>(&event);
        let picked = clicked.closest("[data-node]").ok().flatten();
        if let Some(key) = picked.and_then(|picked| picked.get_attribute("data-node")) {
            on_pick.run(key);
        }
    };
    view! {
        <figure class="figure">
            <div node_ref=node class="figure__drawing" class:figure__drawing--pick=on_pick.is_some() on:click=pick></div>
            <details class="figure__table">
                <summary>"As a table"</summary>
                {move || chart.with(|chart| table(&chart.table))}
            </details>
        </figure>
    }
}

/// The tree as elements. Texts become text nodes, so nothing in them is ever markup.
fn drawn(element: &Element) -> Option<web_sys::Element> {
    let made = document()
        .create_element_ns(Some(SVG), element.name.as_str())
        .ok()?;
    for (name, value) in &element.attributes {
        made.set_attribute(name, value).ok()?;
    }
    for child in &element.children {
        match child {
            Child::Element(inner) => made.append_child(&*drawn(inner)?).ok()?,
            Child::Text(text) => made.append_child(&document().create_text_node(text)).ok()?,
        };
    }
    Some(made)
}

fn table(table: &Table) -> impl IntoView + use<> {
    let head = table
        .columns
        .iter()
        .map(|name| view! { <th scope="col">{visible(name).into_owned()}</th> })
        .collect_view();
    let row = |row: &Vec<String>| {
        let cells = row
            .iter()
            .map(|cell| view! { <td>{visible(cell).into_owned()}</td> });
        view! { <tr>{cells.collect_view()}</tr> }
    };
    view! {
        <table>
            <caption class="visually-hidden">{visible(&table.caption).into_owned()}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{table.rows.iter().map(row).collect_view()}</tbody>
        </table>
    }
}
