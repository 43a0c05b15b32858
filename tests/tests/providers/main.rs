//! The built-in providers and an imported one against servers that play them: what is asked, what
//! is kept of the answers, and what happens when the other side is slow, busy or half there.

mod bases;
mod catalogue;
mod entra;
mod greynoise;
mod okta;
mod quota;
