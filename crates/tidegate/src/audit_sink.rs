//! From the settings of the audit sink to the sink.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use trail::{HttpSink, SinkSettings};
use zeroize::Zeroizing;

use crate::config::{SinkConfig, SinkToken};
use crate::refusal::Refusal;

/// What is read of a token's file.
const MAX_TOKEN: u64 = 16 * 1024;
/// What is read of a file of authorities.
const MAX_CA: u64 = 1024 * 1024;

/// Reads the files that the settings name.
pub(crate) fn open(config: &SinkConfig) -> Result<HttpSink, Refusal> {
    let token = match &config.token {
        None => None,
        Some(SinkToken::Value(value)) => Some(value.clone()),
        Some(SinkToken::File(path)) => Some(Zeroizing::new(read(path, MAX_TOKEN)?.trim_end().to_owned())),
    };
    let ca = config.ca_file.as_deref().map(|path| read(path, MAX_CA)).transpose()?;
    let settings = SinkSettings {
        url: config.url.clone(),
        format: config.format,
        token,
        ca: ca.as_ref().map(|text| text.as_str()),
        internal: config.internal,
    };
    HttpSink::new(settings).map_err(|error| Refusal::AuditSink(error.to_string()))
}

fn read(path: &Path, most: u64) -> Result<Zeroizing<String>, Refusal> {
    let mut text = Zeroizing::new(String::new());
    let mut read = || -> io::Result<usize> { fs::File::open(path)?.take(most).read_to_string(&mut text) };
    read().map_err(|cause| Refusal::AuditSink(format!("{} cannot be read: {cause}", path.display())))?;
    Ok(text)
}
