//! A text line: time, level, place, message, `key=value`. The library's own does the same through `Debug`, which takes twice
//! the time, and lets what a value displays break the line.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Formats events.
pub(super) struct TextLine;

impl<S, N> FormatEvent<S, N> for TextLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        let about = event.metadata();
        write!(writer, " {:>5} ", about.level().as_str())?;
        writer.write_str(about.target())?;
        writer.write_char(':')?;
        let mut fields = Fields { line: Line(writer.by_ref()), written: Ok(()) };
        event.record(&mut fields);
        fields.written?;
        writer.write_char('\n')
    }
}

/// Writes fields, the message without its name.
struct Fields<'w> {
    line: Line<'w>,
    written: fmt::Result,
}

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl FnOnce(&mut Line<'_>) -> fmt::Result) {
        if self.written.is_err() {
            return;
        }
        self.written = self.line.name(field.name()).and_then(|()| value(&mut self.line));
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MESSAGE {
            return self.put(field, |line| line.write_str(value));
        }
        self.put(field, |line| line.quoted(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |line| write!(line, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |line| line.write_str(if value { "true" } else { "false" }));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, |line| write!(line, "{value:?}"));
    }
}

const MESSAGE: &str = "message";

/// One line, whatever is written: control characters are escaped.
struct Line<'w>(Writer<'w>);

impl Line<'_> {
    fn name(&mut self, name: &str) -> fmt::Result {
        self.0.write_char(' ')?;
        if name == MESSAGE {
            return Ok(());
        }
        self.0.write_str(name)?;
        self.0.write_char('=')
    }

    fn quoted(&mut self, text: &str) -> fmt::Result {
        if text.bytes().any(|b| b == b'"' || b == b'\\') {
            return write!(self, "{text:?}");
        }
        self.0.write_char('"')?;
        self.write_str(text)?;
        self.0.write_char('"')
    }
}

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Printable ASCII, which nearly all of it is, needs no closer look.
        if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return self.0.write_str(text);
        }
        text.chars().try_for_each(|c| if c.is_control() { write!(self.0, "{}", c.escape_debug()) } else { self.0.write_char(c) })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn logged(log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt().with_writer(kept.clone()).event_format(TextLine).finish();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_has_time_level_place_message_and_fields() {
        let line = logged(|| {
            tracing::info!(target: "here", n = 7, ms = 1.25, door = "oci", cut = true, ip = %"::1", who = None::<&str>, "it runs");
        });
        let (time, rest) = line.split_at(27);
        assert!(time.ends_with('Z') && time.contains('T'), "{time}");
        assert_eq!(rest, "  INFO here: it runs n=7 ms=1.25 door=\"oci\" cut=true ip=::1\n");
    }

    #[test]
    fn nothing_that_is_logged_makes_a_second_line() {
        let line = logged(|| {
            tracing::warn!(error = %"a\nb\u{1b}[31m\u{85}", path = "/x\r\n\"y\"\\", debug = ?"q\n", "m\ns é");
        });
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.contains(['\r', '\u{1b}', '\u{85}']), "{line:?}");
        assert!(line.contains(r#"error=a\nb\u{1b}[31m\u{85} path="/x\r\n\"y\"\\" debug="q\n""#), "{line}");
        assert!(line.contains("m\\ns é"), "{line}");
    }
}
