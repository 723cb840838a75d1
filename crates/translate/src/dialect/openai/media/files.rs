//! `/v1/files`: the fields of an upload's form, and the entries.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Kind};

/// What a file may be uploaded for.
pub const PURPOSES: [&str; 6] = [
    "assistants",
    "batch",
    "fine-tune",
    "vision",
    "user_data",
    "evals",
];

/// The purpose of an upload that names none. OpenAI demands one; the original relay did not.
const STANDARD_PURPOSE: &str = "user_data";

/// The shortest and the longest life that `expires_after` gives, in seconds: an hour, 30 days.
const LIVES: std::ops::RangeInclusive<u64> = 3600..=2_592_000;

/// The same where `expires_in_seconds` gives it: an hour, 90 days.
const LIVES_IN_SECONDS: std::ops::RangeInclusive<u64> = 3600..=7_776_000;

/// The longest name that is kept, in bytes.
const LONGEST_NAME: usize = 255;

/// A file, as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileObject {
    /// Its id.
    pub id: String,
    object: &'static str,
    /// Its size.
    pub bytes: u64,
    /// When it was uploaded, in seconds since 1970.
    pub created_at: u64,
    /// When it will be gone; none is never.
    pub expires_at: Option<u64>,
    /// Its name.
    pub filename: String,
    /// What it was uploaded for.
    pub purpose: String,
    status: &'static str,
    status_details: Option<&'static str>,
}

impl FileObject {
    /// An entry. Files are checked while they arrive, so there is none that is not `processed`.
    #[must_use]
    pub fn new(
        id: String,
        filename: String,
        purpose: String,
        bytes: u64,
        created_at: u64,
        expires_at: Option<u64>,
    ) -> Self {
        Self {
            id,
            object: "file",
            bytes,
            created_at,
            expires_at,
            filename,
            purpose,
            status: "processed",
            status_details: None,
        }
    }
}

/// What a client gets for a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deleted {
    id: String,
    object: &'static str,
    #[serde(rename = "deleted")]
    done: bool,
}

impl Deleted {
    /// A file is gone.
    #[must_use]
    pub fn file(id: String) -> Self {
        Self::new(id, "file")
    }

    /// An object of this kind is gone.
    #[must_use]
    pub fn new(id: String, object: &'static str) -> Self {
        Self {
            id,
            object,
            done: true,
        }
    }
}

/// There is no file of this id, or it is another account's: a client is told the same.
#[must_use]
pub fn unknown(id: &str) -> Failure {
    let id: String = id.chars().take(80).collect();
    Failure::new(Kind::NotFound, format!("There is no file `{id}`."))
        .with_param("id")
        .with_code("file_not_found")
}

/// The text fields of an upload's form, as they come.
#[derive(Debug, Default)]
pub struct Form {
    purpose: Option<&'static str>,
    anchor: Option<String>,
    seconds: Option<u64>,
    life: Option<u64>,
    others: Vec<String>,
}

/// What the form says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// What it is for.
    pub purpose: &'static str,
    /// Seconds after which it is gone; none is never.
    pub life: Option<u64>,
}

impl Form {
    /// Takes a field.
    ///
    /// # Errors
    /// A value that means nothing.
    pub fn field(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        match name {
            "purpose" => self.purpose = Some(purpose(value.trim())?),
            "expires_after[anchor]" => self.anchor = Some(value.trim().to_owned()),
            "expires_after[seconds]" => self.seconds = Some(seconds(value.trim())?),
            "expires_after" => self.expires_after(value)?,
            "expires_in_seconds" => self.life = Some(life(value.trim())?),
            other => self.others.push(other.chars().take(40).collect()),
        }
        Ok(())
    }

    /// Some clients send the two values as one JSON object.
    fn expires_after(&mut self, value: &str) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Object {
            anchor: String,
            seconds: u64,
        }
        if value.trim().is_empty() {
            return Ok(());
        }
        let object: Object = serde_json::from_str(value).map_err(|_| bad_life())?;
        self.anchor = Some(object.anchor);
        self.seconds = Some(object.seconds);
        Ok(())
    }

    /// What the whole form says.
    ///
    /// # Errors
    /// An expiry that is incomplete or out of range.
    pub fn wanted(&self) -> Result<Wanted, Failure> {
        let life = match (self.anchor.as_deref(), self.seconds) {
            (None, None) => self.life,
            (Some("created_at"), Some(seconds)) if LIVES.contains(&seconds) => Some(seconds),
            _ => return Err(bad_life()),
        };
        Ok(Wanted {
            purpose: self.purpose.unwrap_or(STANDARD_PURPOSE),
            life,
        })
    }

    /// The form has no file: the failure names what it has instead.
    #[must_use]
    pub fn no_file(&self) -> Failure {
        let mut message =
            "The form has no part named `file`: send the file's bytes under that name.".to_owned();
        if !self.others.is_empty() {
            let others = self.others.join("`, `");
            let _ = write!(message, " It has parts named `{others}`.");
        }
        Failure::invalid("file", message)
    }
}

fn purpose(value: &str) -> Result<&'static str, Failure> {
    let known = PURPOSES.into_iter().find(|purpose| *purpose == value);
    known.ok_or_else(|| {
        let value: String = value.chars().take(40).collect();
        let message = format!(
            "Invalid purpose `{value}`: it must be one of `{}`.",
            PURPOSES.join("`, `")
        );
        Failure::invalid("purpose", message)
    })
}

fn seconds(value: &str) -> Result<u64, Failure> {
    value.parse().map_err(|_| bad_life())
}

/// A life as Anthropic's clients give it.
fn life(value: &str) -> Result<u64, Failure> {
    let life = value.parse().ok();
    life.filter(|seconds| LIVES_IN_SECONDS.contains(seconds))
        .ok_or_else(|| {
            let (shortest, longest) = (LIVES_IN_SECONDS.start(), LIVES_IN_SECONDS.end());
            let message = format!("`expires_in_seconds` must be from {shortest} to {longest}.");
            Failure::invalid("expires_in_seconds", message)
        })
}

fn bad_life() -> Failure {
    let (shortest, longest) = (LIVES.start(), LIVES.end());
    let message = format!(
        "`expires_after` needs `anchor`, which must be `created_at`, and `seconds` from {shortest} to {longest}."
    );
    Failure::invalid("expires_after", message)
}

/// The name of a file as it can be shown and kept. Folders, control characters and what turns text
/// around are left out.
#[must_use]
pub fn file_name(given: &str) -> String {
    let base = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_safe = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut name: String = base.chars().filter(is_safe).collect();
    while name.len() > LONGEST_NAME {
        name.pop();
    }
    let name = name.trim();
    if name.chars().all(|c| c == '.') {
        "file".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form(fields: &[(&str, &str)]) -> Result<Wanted, Failure> {
        let mut form = Form::default();
        for (name, value) in fields {
            form.field(name, value)?;
        }
        form.wanted()
    }

    #[test]
    fn a_form_says_what_a_file_is_for_and_how_long_it_lives() {
        type Row = (
            &'static [(&'static str, &'static str)],
            Option<(&'static str, Option<u64>)>,
        );
        let table: &[Row] = &[
            (&[], Some(("user_data", None))),
            (
                &[("purpose", "fine-tune"), ("other", "x")],
                Some(("fine-tune", None)),
            ),
            (&[("purpose", "Assistants")], None),
            (&[("purpose", "")], None),
            (&[("purpose", "assistants_output")], None),
            (
                &[
                    ("expires_after[anchor]", "created_at"),
                    ("expires_after[seconds]", "3600"),
                ],
                Some(("user_data", Some(3600))),
            ),
            (
                &[(
                    "expires_after",
                    r#"{"anchor":"created_at","seconds":2592000}"#,
                )],
                Some(("user_data", Some(2_592_000))),
            ),
            (&[("expires_after[seconds]", "3600")], None),
            (&[("expires_after[anchor]", "created_at")], None),
            (
                &[
                    ("expires_after[anchor]", "created_at"),
                    ("expires_after[seconds]", "3599"),
                ],
                None,
            ),
            (
                &[
                    ("expires_after[anchor]", "created_at"),
                    ("expires_after[seconds]", "2592001"),
                ],
                None,
            ),
            (
                &[
                    ("expires_after[anchor]", "last_used"),
                    ("expires_after[seconds]", "3600"),
                ],
                None,
            ),
            (&[("expires_after[seconds]", "-1")], None),
            (&[("expires_after", "3600")], None),
            (
                &[("expires_in_seconds", "7776000")],
                Some(("user_data", Some(7_776_000))),
            ),
            (&[("expires_in_seconds", "3599")], None),
            (&[("expires_in_seconds", "soon")], None),
        ];
        for (fields, expected) in table {
            let wanted = form(fields)
                .ok()
                .map(|wanted| (wanted.purpose, wanted.life));
            assert_eq!(wanted, *expected, "{fields:?}");
        }
    }

    #[test]
    fn a_form_without_a_file_is_told_what_it_has_instead() {
        let mut form = Form::default();
        form.field("document", "x").unwrap();
        let failure = form.no_file();
        assert_eq!(failure.param.as_deref(), Some("file"));
        assert!(failure.message.contains("`document`"));
    }

    #[test]
    fn names_lose_what_is_hostile() {
        let table = [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\me\a b.txt", "a b.txt"),
            ("a\r\nset-cookie: x\0.txt", "aset-cookie: x.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("..", "file"),
            ("x/", "file"),
            ("   ", "file"),
            ("", "file"),
        ];
        for (given, expected) in table {
            assert_eq!(file_name(given), expected, "{given:?}");
        }
        assert_eq!(file_name(&"\u{e4}".repeat(400)).len(), 254);
    }

    proptest! {
        #[test]
        fn no_name_holds_a_folder_or_a_control_character(given in "(?s).*") {
            let name = file_name(&given);
            prop_assert!(!name.is_empty() && name.len() <= 255);
            prop_assert!(!name.contains(['/', '\\']) && !name.chars().any(char::is_control));
            prop_assert!(name != "." && name != "..");
        }
    }
}
