//! Functions that our SQL calls and SQLite does not have. Deterministic and without effects.

use std::net::IpAddr;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

/// An address as 16 bytes that sort as addresses do; IPv4 is mapped into IPv6.
pub(crate) fn ip_key(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// Makes the functions known to a connection.
pub(crate) fn register(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("ip_key", 1, flags, |ctx| {
        let address = ctx.get_raw(0).as_str_or_null()?;
        Ok(address.and_then(|text| text.parse().ok()).map(ip_key))
    })
}
