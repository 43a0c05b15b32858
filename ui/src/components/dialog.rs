//! A modal dialog on the native element: it traps the focus, closes with Escape and gives the
//! focus back by itself.

use leptos::html;
use leptos::prelude::*;

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
