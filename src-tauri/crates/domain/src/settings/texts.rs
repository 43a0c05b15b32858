//! What the texts of some settings must be besides a text.

/// Longest host name (RFC 1035), in characters.
const MAX_HOST_CHARS: usize = 253;
/// Names that `network.extra_hosts` can hold.
const MAX_HOSTS: usize = 16;

/// Checks a text that has its length; the error says what is taken.
pub(super) fn check(setting: &str, text: &str) -> Result<(), &'static str> {
    let is_good = match setting {
        "backup.directory" | "network.ca_file" => text.is_empty() || is_absolute(text),
        "network.proxy" => text.is_empty() || is_proxy(text),
        "network.extra_hosts" => hosts(text).count() <= MAX_HOSTS && hosts(text).all(is_extra_host),
        _ => true,
    };
    if is_good {
        return Ok(());
    }
    Err(match setting {
        "backup.directory" => "must be an absolute path, such as /mnt/backup/calseta",
        "network.ca_file" => "must be an absolute path, such as /etc/ssl/company.pem",
        "network.proxy" => "must be http://HOST:PORT, without a user name and a path",
        _ => {
            "must be host names separated by commas, such as host.docker.internal; no addresses, no \
             ports, not localhost, at most 16"
        }
    })
}

/// The names in a list.
pub(super) fn hosts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
}

fn is_absolute(path: &str) -> bool {
    let drive = path.as_bytes();
    let is_drive = drive.len() > 2
        && drive[0].is_ascii_alphabetic()
        && drive[1] == b':'
        && matches!(drive[2], b'/' | b'\\');
    (path.starts_with('/') || is_drive) && !path.split(['/', '\\']).any(|part| part == "..")
}

fn is_proxy(url: &str) -> bool {
    let Some((host, port)) = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .and_then(|rest| rest.rsplit_once(':'))
    else {
        return false;
    };
    let is_v6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    (is_v6 || is_host(host)) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= MAX_HOST_CHARS && host.split('.').all(is_label)
}

/// A name, and none that a resolver could be asked for by a page of somebody else: those of this
/// machine are admitted anyway, and an address would admit a peer on the network.
fn is_extra_host(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    is_host(host)
        && !host.eq_ignore_ascii_case("localhost")
        && !last.bytes().all(|byte| byte.is_ascii_digit())
        && !last.starts_with("0x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_proxies_and_hosts_are_taken_by_their_form() {
        for (setting, good, bad) in [
            (
                "backup.directory",
                &["", "/mnt/backup", "D:\\backup"][..],
                &["backup", "./backup", "/mnt/../etc", "~"][..],
            ),
            (
                "network.proxy",
                &[
                    "",
                    "http://proxy.lan:3128",
                    "http://[fd00::1]:8080",
                    "http://10.0.0.1:80/",
                ],
                &[
                    "proxy:3128",
                    "https://proxy:1",
                    "http://u:p@proxy:1",
                    "http://proxy",
                    "http://proxy:0",
                    "http://proxy:1/x",
                ],
            ),
            (
                "network.extra_hosts",
                &["", "host.docker.internal", "a.lan, b.lan"],
                &[
                    "10.0.0.1",
                    "localhost",
                    "a.lan:8000",
                    "*",
                    "a b",
                    "http://a",
                    "[::1]",
                    "0x7f000001",
                ],
            ),
        ] {
            for text in good {
                assert_eq!(check(setting, text), Ok(()), "{setting} {text}");
            }
            for text in bad {
                assert!(check(setting, text).is_err(), "{setting} {text}");
            }
        }
        let many = vec!["a.lan"; MAX_HOSTS + 1].join(",");
        assert!(check("network.extra_hosts", &many).is_err());
    }
}
