//! Input that nobody should send, against the real binary: what is refused, how, and that the
//! process never minds. Every test has a backend of its own; each list has a control.

mod at_rest;
mod auth;
mod bodies;
mod canaries;
mod guard;
mod hostile_text;
mod limits;
mod mutation;
mod route_bodies;
mod route_rows;
mod routes;
mod slow;
mod triage_rows;
mod world;
