//! The HTTP API: a router per noun over the engine's calls, behind one guard.
//!
//! A request passes, in this order: the panic net, the request id, the Host and Origin guard, then
//! its route's key and scope, then its rate limit, and only then its body is read. The window's
//! requests reach the same routes in process, without HTTP and without a key ([`InProcess`]).
//! Read `guard`, `caller` and `routes`.

mod answer;
mod body;
mod caller;
mod data_dir;
mod docs;
mod guard;
mod launch;
mod limits;
mod listen;
mod listing;
mod logging;
mod openapi;
mod operation;
mod page;
mod reply;
mod routes;
mod sessions;
mod ui_files;

pub use data_dir::{DataDirError, data_dir};
pub use launch::{InProcess, LaunchConfig, LaunchError, PortChoice, Running, launch};
pub use limits::Limits;
pub use listing::{RouteListing, RouteNeeds, operations};
pub use logging::log_to_stderr;
pub use openapi::openapi;
pub use ui_files::UiFiles;
