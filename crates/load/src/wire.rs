//! A keep-alive HTTP/1.1 connection that costs little: whole requests are written as they are, and
//! of an answer only the status and the length of the body are looked at.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Largest answer accepted, head and body.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

const BUFFER_BYTES: usize = 16 * 1024;

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
    #[error("the server closed the connection")]
    Closed,
    #[error("the answer is not HTTP/1.1: {0}")]
    NotHttp(&'static str),
    #[error("the answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
}

/// An answer, valid until the next exchange.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first member of this name in the JSON body whose value is a number or a plain string.
    ///
    /// Enough for Accord's answers, whose own members stand first; parsing them whole would cost
    /// the server CPU time that it is measured by.
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.body).ok()?;
        let tag = format!("\"{name}\":");
        let value = &text[text.find(&tag)? + tag.len()..];
        match value.strip_prefix('"') {
            Some(string) => string.split_once('"').map(|(string, _)| string),
            None => value.split([',', '}']).next(),
        }
    }

    /// The body for people, cut.
    pub(crate) fn excerpt(&self) -> String {
        const CHARS_MAX: usize = 400;
        String::from_utf8_lossy(self.body).chars().take(CHARS_MAX).collect()
    }
}

/// One connection, one request at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, WireError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES] })
    }

    /// Sends a whole request and reads the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, WireError> {
        self.stream.write_all(request).await?;
        let (mut filled, mut head) = (0, None);
        loop {
            if filled == self.buffer.len() {
                if filled >= ANSWER_BYTES_MAX {
                    return Err(WireError::TooLarge);
                }
                self.buffer.resize(filled * 2, 0);
            }
            match self.stream.read(&mut self.buffer[filled..]).await? {
                0 => return Err(WireError::Closed),
                read => filled += read,
            }
            if head.is_none() {
                head = Head::parse(&self.buffer[..filled])?;
            }
            if let Some(Head { status, body }) = &head {
                match filled {
                    _ if filled < body.end => {}
                    _ if filled == body.end => {
                        return Ok(Answer { status: *status, body: &self.buffer[body.clone()] });
                    }
                    _ => return Err(WireError::NotHttp("it is longer than it says")),
                }
            }
        }
    }
}

/// What matters of an answer's head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Where the body stands, counted from the answer's first byte.
    body: std::ops::Range<usize>,
}

impl Head {
    /// `None` while the head is not complete.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, WireError> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes[..end])
            .map_err(|_| WireError::NotHttp("its head is not text"))?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok())
            .ok_or(WireError::NotHttp("it has no status"))?;
        let mut length = None;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<usize>().ok();
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                return Err(WireError::NotHttp("it comes in chunks"));
            }
        }
        let length = match (status, length) {
            (204 | 304, _) => 0,
            (_, Some(length)) if length <= ANSWER_BYTES_MAX => length,
            (_, Some(_)) => return Err(WireError::TooLarge),
            (_, None) => return Err(WireError::NotHttp("it does not say how long it is")),
        };
        let begin = end + 4;
        Ok(Some(Self { status, body: begin..begin + length }))
    }
}

#[cfg(test)]
mod tests;
