//! One GET: https, redirects checked at each hop, timeouts, and a body that may start midway.

use std::io::Read;

use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

use super::url::{self, Channel};
use crate::error::{Error, ErrorKind, Result};
use crate::pack::pull::PullOptions;

/// Redirects that are followed for one file. Hosters of models use one or two.
const MAX_REDIRECTS: usize = 5;

/// A body, and which bytes of the file it is.
pub(crate) struct Reply {
    /// Offset of the first byte.
    pub(crate) start: u64,
    /// Bytes in the body, when the server says.
    pub(crate) length: Option<u64>,
    pub(crate) body: Box<dyn Read>,
}

/// The file at `url` from `offset` on, or from its start when the server cannot do that.
pub(crate) fn get(url: &str, offset: u64, options: &PullOptions) -> Result<Reply> {
    if offset > 0
        && let Some(reply) = request(url, offset, options)?
    {
        return Ok(reply);
    }
    request(url, 0, options)?.ok_or_else(|| failed(url, "answers with a part nobody asked for"))
}

/// `None` when the server does not give the part that was asked for.
fn request(url: &str, offset: u64, options: &PullOptions) -> Result<Option<Reply>> {
    let mut response = follow(url, offset, options)?;
    let start = match response.status() {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if offset > 0 && range_start(&response) == Some(offset) => {
            offset
        }
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => return Ok(None),
        status => {
            let hint = match status.as_u16() {
                401 | 403 | 404 | 410 => {
                    "; it may have moved: set FACEPRINT_MIRROR or copy the file"
                }
                429 | 500..=599 => "; try again later",
                _ => "",
            };
            return Err(failed(url, format!("answers {status}{hint}")));
        }
    };
    let length = response.body_mut().content_length();
    let body = Box::new(response.into_body().into_reader());
    Ok(Some(Reply { start, length, body }))
}

fn follow(url: &str, offset: u64, options: &PullOptions) -> Result<Response<ureq::Body>> {
    let mut at = url.to_owned();
    let mut channel = url::check(&at, None)?;
    for _ in 0..=MAX_REDIRECTS {
        let mut request =
            agent(channel, options).get(&at).header(header::ACCEPT_ENCODING, "identity");
        if offset > 0 {
            request = request.header(header::RANGE, format!("bytes={offset}-"));
        }
        let response = request.call().map_err(|error| {
            Error::with_source(ErrorKind::Download, format!("cannot get {at}"), error)
        })?;
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(response);
        }
        let location = response.headers().get(header::LOCATION);
        let location = location.and_then(|value| value.to_str().ok()).ok_or_else(|| {
            failed(&at, format!("answers {} without saying where to go", response.status()))
        })?;
        at = url::join(&at, location);
        channel = url::check(&at, Some(channel))?;
    }
    Err(failed(url, format!("redirects more than {MAX_REDIRECTS} times")))
}

/// Redirects and statuses are for [`follow`] to judge; a proxy is never asked for this machine.
fn agent(channel: Channel, options: &PullOptions) -> Agent {
    let proxy = match channel {
        Channel::Encrypted => ureq::Proxy::try_from_env(),
        Channel::Loopback => None,
    };
    Agent::config_builder()
        .https_only(channel == Channel::Encrypted)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy)
        .user_agent(concat!("faceprint/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(options.total_timeout))
        .timeout_resolve(Some(options.stall_timeout))
        .timeout_connect(Some(options.stall_timeout))
        .timeout_per_read(Some(options.stall_timeout))
        .timeout_per_write(Some(options.stall_timeout))
        .build()
        .new_agent()
}

/// First byte of `Content-Range: bytes FIRST-LAST/TOTAL`.
fn range_start(response: &Response<ureq::Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn failed(url: &str, message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Download, format!("{url} {message}"))
}
