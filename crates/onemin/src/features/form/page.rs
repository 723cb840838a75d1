//! The table as a page, for people.

use super::{Field, Form};

/// The table as Markdown: a heading and a table of fields for every form.
#[must_use]
pub fn markdown<'f>(forms: impl IntoIterator<Item = &'f Form>) -> String {
    let forms: Vec<String> = forms.into_iter().map(form).collect();
    forms.concat()
}

fn form(form: &Form) -> String {
    let models: Vec<String> = form.models.iter().map(|m| format!("`{m}`")).collect();
    let heading = format!("### {}: {}", form.kind.as_str(), models.join(", "));
    let case = form
        .only_for
        .map(|(field, values)| format!("Where `{field}` is {}.", values.join(", ")));
    let note = Some(form.note).filter(|note| !note.is_empty());
    let rows: Vec<String> = form.fields.iter().map(row).collect();
    let fields = format!(
        "| Field | From | Allowed | Sent by itself |\n|---|---|---|---|\n{}",
        rows.join("\n")
    );
    let others = form
        .is_open
        .then(|| "Other fields are sent as they come.".to_owned());
    let parts = [
        Some(heading),
        case,
        note.map(str::to_owned),
        Some(fields),
        others,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}\n\n", parts.join("\n\n"))
}

fn row(field: &Field) -> String {
    let knob = field.knob.map(|knob| format!("`{}`", knob.name()));
    let required = if field.is_required { ", required" } else { "" };
    let default = field
        .default
        .map(|default| format!("`{}`", default.value()));
    format!(
        "| `{}` | {} | {}{required} | {} |",
        field.name,
        knob.unwrap_or_default(),
        field.rule.allowed(),
        default.unwrap_or_default(),
    )
}
