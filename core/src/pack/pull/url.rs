//! Which URLs are followed: https anywhere, plain http to this machine only.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::{Error, ErrorKind, Result};

/// How far the way to a server can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// https.
    Encrypted,
    /// Plain http that does not leave this machine.
    Loopback,
}

/// The channel to `url`, where `from` is that of the hop that redirected here. A server elsewhere may
/// not send the client to this machine's own services.
pub(crate) fn check(url: &str, from: Option<Channel>) -> Result<Channel> {
    let refuse = |message: &str| {
        let shown: String = url.chars().take(200).collect();
        Err(Error::new(ErrorKind::Download, format!("will not go to {shown:?}: {message}")))
    };
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("it has characters that are not of a URL");
    }
    let Some((scheme, rest)) = url.split_once("://") else { return refuse("it is not a URL") };
    let authority = authority(rest);
    if authority.is_empty() || authority.contains('@') {
        return refuse("it must name a host and no user");
    }
    match (scheme.to_ascii_lowercase().as_str(), from) {
        ("https", _) => Ok(Channel::Encrypted),
        ("http", None | Some(Channel::Loopback)) if is_loopback(authority) => Ok(Channel::Loopback),
        ("http", Some(Channel::Encrypted)) => refuse("it leads from https to plain http"),
        ("http", _) => refuse("plain http is for this machine only, use https"),
        _ => refuse("only https is followed"),
    }
}

/// Where `location`, as a redirect of `base` writes it, leads.
pub(crate) fn join(base: &str, location: &str) -> String {
    let location = location.split('#').next().unwrap_or_default();
    if location.contains("://") {
        return location.to_owned();
    }
    let Some((scheme, rest)) = base.split_once("://") else { return location.to_owned() };
    if location.starts_with("//") {
        return format!("{scheme}:{location}");
    }
    let host = authority(rest);
    if location.starts_with('/') {
        return format!("{scheme}://{host}{location}");
    }
    let path = rest[host.len()..].split(['?', '#']).next().unwrap_or_default();
    let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
    format!("{scheme}://{host}{folder}{location}")
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#', '\\']).next().unwrap_or_default()
}

fn is_loopback(authority: &str) -> bool {
    if let Some((host, after)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (after.is_empty() || after.starts_with(':'))
            && host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let host = authority.split(':').next().unwrap_or_default();
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_goes_anywhere_and_http_stays_on_this_machine() {
        for (url, expected) in [
            ("https://example.org/a", Some(Channel::Encrypted)),
            ("HTTPS://example.org", Some(Channel::Encrypted)),
            ("http://127.0.0.1:80/a", Some(Channel::Loopback)),
            ("http://127.9.9.9/", Some(Channel::Loopback)),
            ("http://localhost:8080/a", Some(Channel::Loopback)),
            ("http://[::1]:80/a", Some(Channel::Loopback)),
            ("http://example.org/a", None),
            ("http://127.0.0.1.example.org/", None),
            ("http://localhost.example.org/", None),
            ("http://127.0.0.1@example.org/", None),
            ("http://example.org\\@127.0.0.1/", None),
            ("http://[::1]x.org/", None),
            ("http://2130706433/", None),
            ("ftp://127.0.0.1/", None),
            ("file:///etc/passwd", None),
            ("https:///a", None),
            ("https://user@example.org/", None),
            ("https://example.org/a b", None),
            ("", None),
        ] {
            assert_eq!(check(url, None).ok(), expected, "{url}");
        }
    }

    #[test]
    fn a_redirect_never_lowers_the_channel() {
        let loopback = "http://127.0.0.1/a";
        assert!(check(loopback, Some(Channel::Loopback)).is_ok());
        let error = check(loopback, Some(Channel::Encrypted)).unwrap_err();
        assert!(error.to_string().contains("from https to plain http"), "{error}");
    }

    #[test]
    fn locations_are_joined_as_browsers_do() {
        let base = "https://a.org/x/y?z#f";
        for (location, expected) in [
            ("https://b.org/q", "https://b.org/q"),
            ("//b.org/q", "https://b.org/q"),
            ("/q?r=1", "https://a.org/q?r=1"),
            ("q#f", "https://a.org/x/q"),
        ] {
            assert_eq!(join(base, location), expected);
        }
        assert_eq!(join("https://a.org", "q"), "https://a.org/q");
    }
}
