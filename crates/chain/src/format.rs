//! Records as lines of a file, and as bodies for a sink.

use api::AuditRecord;
use serde::{Deserialize, Serialize};

/// What kind of thing an event of ours is, in CloudEvents' terms.
const TYPE: &str = "io.tidegate.audit.record.v1";

/// How records are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One record a line, as the management API shapes it.
    Jsonl,
    /// CloudEvents 1.0 in JSON: one event a line in a file, a batch in a request. The record is the event's data.
    CloudEvents,
}

#[derive(Serialize, Deserialize)]
struct CloudEvent<R> {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: model::Timestamp,
    datacontenttype: String,
    data: R,
}

fn cloud_event(record: &AuditRecord) -> CloudEvent<&AuditRecord> {
    CloudEvent {
        specversion: "1.0".into(),
        id: record.sequence().to_string(),
        source: format!("urn:tidegate:account:{}", record.account_id),
        kind: TYPE.into(),
        subject: record.event.resource.clone(),
        time: record.event.time,
        datacontenttype: "application/json".into(),
        data: record,
    }
}

impl Format {
    /// A record as one line, without its end.
    pub fn line(self, record: &AuditRecord) -> String {
        let line = match self {
            Self::Jsonl => serde_json::to_string(record),
            Self::CloudEvents => serde_json::to_string(&cloud_event(record)),
        };
        // Texts, numbers and times always serialise.
        line.unwrap_or_default()
    }

    /// Reads a line of either format.
    pub fn read(line: &str) -> Result<AuditRecord, serde_json::Error> {
        let record: Result<AuditRecord, _> = serde_json::from_str(line);
        match record {
            Ok(record) => Ok(record),
            Err(error) => serde_json::from_str::<CloudEvent<AuditRecord>>(line).map(|event| event.data).map_err(|_| error),
        }
    }

    /// Several records as the body of one request.
    pub fn body(self, records: &[AuditRecord]) -> Vec<u8> {
        let lines: Vec<String> = records.iter().map(|record| self.line(record)).collect();
        match self {
            Self::Jsonl => (lines.join("\n") + "\n").into_bytes(),
            Self::CloudEvents => format!("[{}]", lines.join(",")).into_bytes(),
        }
    }

    /// What such a body is.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::CloudEvents => "application/cloudevents-batch+json",
        }
    }
}
