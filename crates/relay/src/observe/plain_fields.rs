//! Fields of log lines for whatever is no terminal: what the usual writer makes of them without colours,
//! in a third of the time.

use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};

use crate::decimal;

/// Writes fields as `name=value`.
pub struct PlainFields;

impl<'w> FormatFields<'w> for PlainFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut fields_writer = FieldsWriter {
            writer,
            unwritten: String::with_capacity(LINE_BYTES_USUAL),
            is_first: true,
            result: Ok(()),
        };
        fields.record(&mut fields_writer);
        fields_writer.flush();
        fields_writer.result
    }
}

/// The fields of most lines have room in so much.
const LINE_BYTES_USUAL: usize = 384;

struct FieldsWriter<'w> {
    writer: Writer<'w>,
    /// What is not handed on yet: the writer takes each piece through several hands.
    unwritten: String,
    is_first: bool,
    result: fmt::Result,
}

impl FieldsWriter<'_> {
    fn field(&mut self, field: &Field, value: impl FnOnce(&mut String) -> fmt::Result) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.unwritten.push(' ');
        }
        let name = field.name();
        self.unwritten
            .push_str(name.strip_prefix("r#").unwrap_or(name));
        self.unwritten.push('=');
        self.result = self.result.and_then(|()| value(&mut self.unwritten));
    }

    fn flush(&mut self) {
        if self.result.is_ok() && !self.unwritten.is_empty() {
            self.result = self.writer.write_str(&self.unwritten);
        }
        self.unwritten.clear();
    }

    /// What has a form of its own: the message, which must not steer a terminal, and errors.
    fn usual(&mut self, record: impl FnOnce(&mut DefaultVisitor<'_>)) {
        self.flush();
        if self.result.is_err() {
            return;
        }
        let mut usual = DefaultVisitor::new(self.writer.by_ref(), self.is_first);
        record(&mut usual);
        self.result = tracing_subscriber::field::VisitOutput::finish(usual);
        self.is_first = false;
    }
}

fn is_message(field: &Field) -> bool {
    field.name() == "message"
}

/// Whether a text is shown between quotation marks as it is.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    text.bytes().all(is_plain)
}

impl Visit for FieldsWriter<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, |writer| decimal::write_with_point(value, writer));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |writer| writer.write_str(&value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |writer| writer.write_str(&value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |writer| {
            writer.write_str(if value { "true" } else { "false" })
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if is_message(field) {
            return self.usual(|usual| usual.record_str(field, value));
        }
        self.field(field, |writer| {
            if !is_plain(value) {
                return write!(writer, "{value:?}");
            }
            writer.write_str("\"")?;
            writer.write_str(value)?;
            writer.write_str("\"")
        });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.usual(|usual| usual.record_error(field, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if is_message(field) {
            return self.usual(|usual| usual.record_debug(field, value));
        }
        self.field(field, |writer| write!(writer, "{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::format::DefaultFields;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged with this writer of fields.
    fn logged<F>(fields: F) -> String
    where
        F: for<'w> FormatFields<'w> + Send + Sync + 'static,
    {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(false)
            .fmt_fields(fields)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let io_error = io::Error::other("a\u{1b}b");
            let error: &(dyn std::error::Error + 'static) = &io_error;
            let nothing: Option<f64> = None;
            tracing::info!(id = %"req_1", text = "a \"b\"\n\u{1b}é", plain = "a b", r#type = 1, "answered");
            tracing::info!(
                ms = 1.0,
                small = 0.5,
                big = u64::MAX,
                less = -1,
                is = true,
                none = nothing,
                some = Some(2.5)
            );
            tracing::warn!(error, ?nothing, kind = ?Some("x"), "broke \u{1b}[0m {}", 1);
            tracing::info!("alone");
            tracing::info!(alone = "");
        });
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn fields_look_as_the_usual_writer_makes_them() {
        assert_eq!(logged(PlainFields), logged(DefaultFields::new()));
    }
}
