//! Indicators written so that no program makes a link of them.

/// `http` → `hxxp`, `.` → `[.]`, `@` → `[@]`; hashes and accounts without either stay as they are.
pub(crate) fn defang(value: &str) -> String {
    let scheme = value
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("http"));
    let value = if scheme {
        format!("hxxp{}", &value[4..])
    } else {
        value.to_owned()
    };
    // Colons are what make an IPv6 address clickable; a URL's own are left alone.
    let value = if value.matches(':').count() > 1 && !value.contains("//") {
        value.replace(':', "[:]")
    } else {
        value
    };
    value.replace('.', "[.]").replace('@', "[@]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators_of_each_kind_are_no_links_afterwards() {
        assert_eq!(defang("185.220.101.47"), "185[.]220[.]101[.]47");
        assert_eq!(
            defang("https://evil.tld/a.exe"),
            "hxxps://evil[.]tld/a[.]exe"
        );
        assert_eq!(defang("a@b.org"), "a[@]b[.]org");
        assert_eq!(defang("2001:db8::1"), "2001[:]db8[:][:]1");
        assert_eq!(
            defang("d41d8cd98f00b204e9800998ecf8427e"),
            "d41d8cd98f00b204e9800998ecf8427e"
        );
    }
}
