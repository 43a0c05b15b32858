//! A modal dialog on the native element: it traps the focus, closes with Escape and gives
//! the focus back.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

/// Where the focus was before the dialog, it is again afterwards: a dialog that leaves the page
/// without being closed does not do that by itself.
fn give_focus_back() {
    let before = document()
        .active_element()
        .and_then(|e| e.dyn_into::<HtmlElement>().ok());
    let before = StoredValue::new_local(before);
    on_cleanup(move || {
        if let Some(element) = before.try_get_value().flatten() {
            // While the dialog is in the page, nothing outside it takes the focus; it leaves the
            // page right after this, and before any answer to what was chosen in it.
            spawn_local(async move {
                // An element that has gone meanwhile takes no focus; the body has it then.
                let _ = element.focus();
            });
        }
    });
}

/// A dialog that is open as long as it is on the page.
#[component]
pub(crate) fn Dialog(
    /// Its heading.
    #[prop(into)]
    title: String,
    /// Called when it was closed, by whatever means.
    #[prop(into)]
    on_close: Callback<()>,
    /// Whether Escape closes it.
    #[prop(default = true)]
    dismissable: bool,
    /// A class of its own.
    #[prop(optional)]
    class: &'static str,
    /// Its content.
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    give_focus_back();
    Effect::new(move |_| {
        if let Some(dialog) = node.get()
            && !dialog.open()
        {
            // Fails only when it is open already.
            let _ = dialog.show_modal();
        }
    });
    let name = title.clone();
    view! {
        <dialog
            node_ref=node
            class=format!("dialog {class}")
            aria-label=name
            on:cancel=move |event: leptos::ev::Event| {
                event.prevent_default();
                if dismissable {
                    on_close.run(());
                }
            }
        >
            <h2 class="dialog__title">{title}</h2>
            {children()}
        </dialog>
    }
}
