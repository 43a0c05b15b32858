//! The event log as it is followed: every committed change once, in order, to every reader that
//! may see it, however it reads and wherever it resumes.

mod changes;
mod complete;
mod readers;
mod scopes;
mod triage;
