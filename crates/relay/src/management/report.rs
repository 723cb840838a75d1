//! Reports of use: sums and single requests, as JSON, CSV or lines of JSON. Amounts are credits.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value, json};
use translate::failure::Failure;

use crate::access::keys::cache::AccessKeys;
use crate::ledger::service::Ledger;
use crate::ledger::usage::{By, UsageGroup, UsageQuery, by, cell, credits, range, summed};
use crate::ledger::usage_rows::{ListedRow, PAGE_MAX, RowsQuery, rows};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// One JSON object.
    Json,
    /// CSV with a head.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

impl ReportFormat {
    /// Its media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// Whose use may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Everybody's.
    Owner,
    /// That of one access key.
    Key(String),
}

/// A report.
#[derive(Debug)]
pub struct Report {
    /// How it is written.
    pub format: ReportFormat,
    /// What it says.
    pub body: Vec<u8>,
}

/// Query parameters by name.
pub type Query = HashMap<String, String>;

/// Reports of one relay.
pub struct Reports<'a> {
    /// What was used.
    pub ledger: &'a Ledger,
    /// Names of keys.
    pub keys: &'a AccessKeys,
}

impl Reports<'_> {
    /// `usage?from&to&by&key&model&format`.
    ///
    /// # Errors
    /// A parameter that cannot be read, or the database is away.
    pub async fn usage(&self, viewer: &Viewer, query: &Query) -> Result<Report, Failure> {
        let format = format(query)?;
        let by = by(given(query, "by").unwrap_or_default()).map_err(|error| wrong("by", &error))?;
        let (from, to) = self.range(query)?;
        let query = UsageQuery {
            from,
            to,
            key_id: self.key_id(viewer, query),
            model: given(query, "model").map(str::to_owned),
            outside: *viewer == Viewer::Owner && by.contains(&By::Kind),
            by,
        };
        let groups = summed(self.ledger.database(), self.ledger.calendar(), &query).await?;
        let names = self.names();
        let entries: Vec<Map<String, Value>> = groups
            .iter()
            .map(|group| of_group(group, &query.by, &names))
            .collect();
        let body = match format {
            ReportFormat::Csv => csv(&head(&query.by), &entries)?,
            ReportFormat::Ndjson => lines(&entries),
            ReportFormat::Json => text(&json!({
                "object": "list",
                "time_zone": self.ledger.calendar().zone(),
                "data": entries,
            })),
        };
        Ok(Report { format, body })
    }

    /// `usage/requests?from&to&key&model&api&end&after&limit&format`.
    ///
    /// # Errors
    /// A parameter that cannot be read, or the database is away.
    pub async fn requests(&self, viewer: &Viewer, query: &Query) -> Result<Report, Failure> {
        let format = format(query)?;
        let (from, to) = self.range(query)?;
        let usual = if format == ReportFormat::Json {
            100
        } else {
            PAGE_MAX
        };
        let limit = match given(query, "limit") {
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=PAGE_MAX).contains(limit))
                .ok_or_else(|| wrong("limit", &format!("must be 1 to {PAGE_MAX}")))?,
            None => usual,
        };
        let mut rows_query = RowsQuery {
            from,
            to,
            key_id: self.key_id(viewer, query),
            model: given(query, "model").map(str::to_owned),
            api: given(query, "api").map(str::to_owned),
            outcome: given(query, "end").map(str::to_owned),
            after: given(query, "after").map(str::to_owned),
            limit: if format == ReportFormat::Json {
                limit + 1
            } else {
                limit
            },
            all_kinds: *viewer == Viewer::Owner && given(query, "kind") == Some("all"),
        };
        let database = self.ledger.database();
        let mut listed = rows(database, &rows_query).await?;
        let names = self.names();
        if format != ReportFormat::Json && given(query, "limit").is_none() {
            // All of them, page by page.
            while listed.len() % PAGE_MAX as usize == 0 && listed.len() < EXPORT_MAX {
                rows_query.after = listed.last().map(|row| row.id.clone());
                if rows_query.after.is_none() {
                    break;
                }
                let more = rows(database, &rows_query).await?;
                if more.is_empty() {
                    break;
                }
                listed.extend(more);
            }
        }
        let has_more = format == ReportFormat::Json && listed.len() > limit as usize;
        if has_more {
            listed.truncate(limit as usize);
        }
        let entries: Vec<Map<String, Value>> =
            listed.iter().map(|row| of_row(row, &names)).collect();
        let body = match format {
            ReportFormat::Csv => csv(&ROW_COLUMNS, &entries)?,
            ReportFormat::Ndjson => lines(&entries),
            ReportFormat::Json => text(&json!({
                "object": "list",
                "data": entries,
                "first_id": listed.first().map(|row| &row.id),
                "last_id": listed.last().map(|row| &row.id),
                "has_more": has_more,
            })),
        };
        Ok(Report { format, body })
    }

    fn range(&self, query: &Query) -> Result<(i64, i64), Failure> {
        range(
            self.ledger.calendar(),
            given(query, "from"),
            given(query, "to"),
        )
        .map_err(|(param, error)| wrong(param, &error))
    }

    /// Which key's rows are meant: an id or a name of the operator's query, else the viewer's own.
    fn key_id(&self, viewer: &Viewer, query: &Query) -> Option<String> {
        match viewer {
            Viewer::Key(id) => Some(id.clone()),
            Viewer::Owner => {
                let wanted = given(query, "key")?;
                Some(self.keys.id_of(wanted).unwrap_or_else(|| wanted.to_owned()))
            }
        }
    }

    fn names(&self) -> HashMap<String, String> {
        self.keys.names()
    }
}

/// The most requests of one export.
const EXPORT_MAX: usize = 500_000;

const ROW_COLUMNS: [&str; 20] = [
    "id",
    "time",
    "kind",
    "key",
    "key_name",
    "account",
    "api",
    "model",
    "streamed",
    "end",
    "status",
    "tokens_in",
    "tokens_out",
    "tokens_source",
    "credits",
    "source",
    "upstream_calls",
    "ms",
    "first_byte_ms",
    "note",
];

fn head(by: &[By]) -> Vec<&'static str> {
    let mut columns = Vec::new();
    for of in by {
        columns.push(of.as_str());
        if *of == By::Key {
            columns.push("key_name");
        }
    }
    columns.extend(["requests", "failed", "tokens_in", "tokens_out", "credits"]);
    columns
}

fn of_group(group: &UsageGroup, by: &[By], names: &HashMap<String, String>) -> Map<String, Value> {
    let mut entry = Map::new();
    for (of, value) in by.iter().zip(&group.values) {
        let shown = Some(value).filter(|value| !value.is_empty());
        entry.insert(of.as_str().to_owned(), json!(shown));
        if *of == By::Key {
            entry.insert("key_name".to_owned(), json!(names.get(value)));
        }
    }
    entry.insert("requests".to_owned(), json!(group.requests));
    entry.insert("failed".to_owned(), json!(group.failed));
    entry.insert("tokens_in".to_owned(), json!(group.input_tokens));
    entry.insert("tokens_out".to_owned(), json!(group.output_tokens));
    entry.insert("credits".to_owned(), json!(credits(group.credits)));
    entry
}

fn of_row(row: &ListedRow, names: &HashMap<String, String>) -> Map<String, Value> {
    let mut entry = match serde_json::to_value(row) {
        Ok(Value::Object(entry)) => entry,
        _ => Map::new(),
    };
    let name = row.key.as_ref().and_then(|key| names.get(key));
    entry.insert("key_name".to_owned(), json!(name));
    entry
}

fn csv(columns: &[&str], entries: &[Map<String, Value>]) -> Result<Vec<u8>, Failure> {
    let broken = |_| {
        Failure::new(
            translate::failure::Kind::Internal,
            "The table cannot be written.",
        )
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(broken)?;
    for entry in entries {
        let cells = columns.iter().map(|column| match entry.get(*column) {
            Some(Value::String(text)) => cell(text),
            None | Some(Value::Null) => String::new(),
            Some(value) => value.to_string(),
        });
        writer.write_record(cells).map_err(broken)?;
    }
    Ok(writer.into_inner().unwrap_or_default())
}

fn lines(entries: &[Map<String, Value>]) -> Vec<u8> {
    let mut text = String::new();
    for entry in entries {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{}", Value::Object(entry.clone()));
    }
    text.into_bytes()
}

fn text(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn format(query: &Query) -> Result<ReportFormat, Failure> {
    match given(query, "format").unwrap_or("json") {
        "json" => Ok(ReportFormat::Json),
        "csv" => Ok(ReportFormat::Csv),
        "ndjson" => Ok(ReportFormat::Ndjson),
        _ => Err(wrong("format", "must be json, csv or ndjson")),
    }
}

fn given<'q>(query: &'q Query, name: &str) -> Option<&'q str> {
    let value = query.get(name).map(|value| value.trim());
    value.filter(|value| !value.is_empty())
}

fn wrong(param: &str, message: &str) -> Failure {
    Failure::invalid(param, format!("`{param}` {message}."))
}
