//! Markdown on the page: elements and text nodes only, never HTML from the text.

use leptos::prelude::*;

use super::copy::copy_text;
use crate::state::toasts::Toasts;
use crate::text::markdown::{Block, Inline, Item, Markdown, Row};
use crate::text::{clip, defang, visible, visible_lines};

/// An address is cut to this many characters in its tooltip.
const ADDRESS_CHARS: usize = 200;

/// What a list's items that can be ticked stand at, and what happens when one is.
#[derive(Clone)]
pub(crate) struct Checklist {
    /// Whether an item is done, by its place among the text's tasks.
    pub(crate) is_done: Callback<(u64, bool), bool>,
    /// Somebody ticked or unticked one.
    pub(crate) on_tick: Callback<(u64, bool)>,
}

/// A text.
#[component]
pub(crate) fn MarkdownView(
    /// What somebody wrote.
    text: String,
    /// What its tasks stand at; without it they are shown as their author left them.
    #[prop(optional, into)]
    checklist: Option<Checklist>,
) -> impl IntoView {
    let read = Markdown::parse(&text);
    let cut = read
        .is_cut
        .then(|| view! { <p class="markdown__cut">"… the rest is left out; copy the text to read it."</p> });
    view! { <div class="markdown">{blocks(read.blocks, checklist.as_ref())} {cut}</div> }
}

fn blocks(all: Vec<Block>, checklist: Option<&Checklist>) -> Vec<AnyView> {
    all.into_iter().map(|one| block(one, checklist)).collect()
}

fn block(block: Block, checklist: Option<&Checklist>) -> AnyView {
    match block {
        // The page's own headings stand above: a text's begin below them.
        Block::Heading(1 | 2, words) => {
            view! { <h4 class="markdown__heading">{inlines(words)}</h4> }.into_any()
        }
        Block::Heading(_, words) => {
            view! { <h5 class="markdown__heading">{inlines(words)}</h5> }.into_any()
        }
        Block::Paragraph(words) => view! { <p>{inlines(words)}</p> }.into_any(),
        Block::Quote(inner) => {
            view! { <blockquote>{blocks(inner, checklist)}</blockquote> }.into_any()
        }
        Block::Code(text) => {
            view! { <pre class="mono" tabindex="0">{visible_lines(&text).into_owned()}</pre> }
                .into_any()
        }
        Block::Rule => view! { <hr /> }.into_any(),
        Block::List(start, items) => list(start, items, checklist),
        Block::Table(rows) => table(rows),
    }
}

fn list(start: Option<u64>, items: Vec<Item>, checklist: Option<&Checklist>) -> AnyView {
    let has_tasks = items.iter().any(|item| item.task.is_some());
    let items: Vec<AnyView> = items.into_iter().map(|one| item(one, checklist)).collect();
    match start {
        Some(start) => view! { <ol start=start.to_string()>{items}</ol> }.into_any(),
        None => view! { <ul class:markdown__tasks=has_tasks>{items}</ul> }.into_any(),
    }
}

fn item(item: Item, checklist: Option<&Checklist>) -> AnyView {
    let Some((index, written)) = item.task else {
        return view! { <li>{blocks(item.blocks, checklist)}</li> }.into_any();
    };
    let inner = blocks(item.blocks, checklist);
    match checklist.cloned() {
        Some(Checklist { is_done, on_tick }) => view! {
            <li class="markdown__task">
                <label>
                    <input
                        type="checkbox"
                        prop:checked=move || is_done.run((index, written))
                        on:change=move |event| on_tick.run((index, event_target_checked(&event)))
                    />
                    <span>{inner}</span>
                </label>
            </li>
        }
        .into_any(),
        None => view! {
            <li class="markdown__task">
                <span aria-label=if written { "done" } else { "not done" }>
                    {if written { "☑" } else { "☐" }}
                </span>
                <span>{inner}</span>
            </li>
        }
        .into_any(),
    }
}

fn table(mut rows: Vec<Row>) -> AnyView {
    let head = if rows.is_empty() {
        Row::new()
    } else {
        rows.remove(0)
    };
    let head = head
        .into_iter()
        .map(|cell| view! { <th scope="col">{inlines(cell)}</th> })
        .collect_view();
    let row = |row: Row| {
        let cells = row
            .into_iter()
            .map(|cell| view! { <td>{inlines(cell)}</td> });
        view! { <tr>{cells.collect_view()}</tr> }
    };
    view! {
        <div class="markdown__table" tabindex="0">
            <table>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn inlines(all: Vec<Inline>) -> Vec<AnyView> {
    all.into_iter().map(inline).collect()
}

fn inline(inline: Inline) -> AnyView {
    match inline {
        Inline::Text(text) => visible_lines(&text).into_owned().into_any(),
        Inline::Code(text) => view! { <code>{visible_lines(&text).into_owned()}</code> }.into_any(),
        Inline::Strong(inner) => view! { <strong>{inlines(inner)}</strong> }.into_any(),
        Inline::Emphasis(inner) => view! { <em>{inlines(inner)}</em> }.into_any(),
        Inline::Struck(inner) => view! { <s>{inlines(inner)}</s> }.into_any(),
        Inline::Image(description) => {
            let words = visible(&description).into_owned();
            view! { <span class="markdown__image">{format!("[image: {words}]")}</span> }.into_any()
        }
        Inline::Break => view! { <br /> }.into_any(),
        Inline::Link(inner, address) => link(inner, &address),
    }
}

/// A link leads nowhere: it shows its words, says its address, and copies it defanged.
fn link(inner: Vec<Inline>, address: &str) -> AnyView {
    let toasts = Toasts::expect();
    let defanged = defang(address);
    let shown = clip(&visible(&defanged), ADDRESS_CHARS);
    view! {
        <button
            type="button"
            class="markdown__link"
            title=format!("Not followed. Copies {shown}")
            on:click=move |_| copy_text(toasts, defanged.clone(), "Defanged address")
        >
            {inlines(inner)}
        </button>
    }
    .into_any()
}
