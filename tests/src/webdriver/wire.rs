//! The HTTP under the protocol: one exchange a connection, over a plain blocking socket.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

/// How long one command may take; page loads and window starts included.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);

/// One command; the answer's `value`, or the driver's error as ours.
pub(super) fn command(
    driver: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<Value> {
    let authority = driver
        .strip_prefix("http://")
        .context("a driver's address is http")?;
    let text = body.map_or_else(String::new, Value::to_string);
    let (status, answer) = exchange(authority, method, path, &[], &text)?;
    let mut parsed: Value = serde_json::from_slice(&answer)
        .with_context(|| format!("{method} {path}: {}", String::from_utf8_lossy(&answer)))?;
    let value = parsed["value"].take();
    if status == 200 {
        return Ok(value);
    }
    Err(anyhow!(
        "{method} {path}: {} {}",
        value["error"],
        value["message"]
    ))
}

/// One HTTP exchange with a loopback address (`127.0.0.1:N`) on a connection of its own: the
/// status and the body. `headers` come before `Content-Type: application/json`.
pub fn exchange(
    authority: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(u16, Vec<u8>)> {
    let mut socket = TcpStream::connect(authority)?;
    socket.set_read_timeout(Some(COMMAND_TIMEOUT))?;
    socket.set_write_timeout(Some(COMMAND_TIMEOUT))?;
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let length = body.len().to_string();
    head.extend([
        "Content-Type: application/json; charset=utf-8\r\nContent-Length: ",
        &length,
        "\r\n\r\n",
    ]);
    socket.write_all(head.as_bytes())?;
    socket.write_all(body.as_bytes())?;
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .with_context(|| format!("no HTTP status in {line:?}"))?;
    Ok((status, read_body(&mut reader)?))
}

/// The rest of an answer after its first line; by length, else until the other side closes.
fn read_body(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut length = None;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<usize>().ok();
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                bail!("a chunked answer is not understood here");
            }
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        None => {
            reader.read_to_end(&mut body)?;
        }
    }
    Ok(body)
}

/// Standard base64; drivers wrap lines now and then.
pub(super) fn decode_base64(text: &str) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' | b'\n' | b'\r' => continue,
            _ => bail!("byte {byte} is not base64"),
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).context("masked to a byte")?);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_three_lengths_is_read() {
        assert_eq!(decode_base64("Zg==").expect("valid"), b"f");
        assert_eq!(decode_base64("Zm8=").expect("valid"), b"fo");
        assert_eq!(decode_base64("Zm9v\nYmFy").expect("valid"), b"foobar");
    }
}
