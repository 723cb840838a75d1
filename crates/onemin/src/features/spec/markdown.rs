//! The table as Markdown, for docs/media.md.

use super::{Field, ModelSpec};

/// The table as Markdown: a heading and a table of fields for every spec.
#[must_use]
pub fn page<'s>(specs: impl IntoIterator<Item = &'s ModelSpec>) -> String {
    let specs: Vec<String> = specs.into_iter().map(section).collect();
    specs.concat()
}

fn section(spec: &ModelSpec) -> String {
    let models: Vec<String> = spec.models.iter().map(|m| format!("`{m}`")).collect();
    let heading = format!("### {}: {}", spec.kind.as_str(), models.join(", "));
    let case = spec
        .only_for
        .map(|(field, values)| format!("Where `{field}` is {}.", values.join(", ")));
    let note = Some(spec.note).filter(|note| !note.is_empty());
    let rows: Vec<String> = spec.fields.iter().map(row).collect();
    let fields = format!(
        "| Field | From | Allowed | Sent by itself |\n|---|---|---|---|\n{}",
        rows.join("\n")
    );
    let others = spec
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
    let param = field.param.map(|param| format!("`{}`", param.name()));
    let required = if field.is_required { ", required" } else { "" };
    let default = field
        .default
        .map(|default| format!("`{}`", default.value()));
    format!(
        "| `{}` | {} | {}{required} | {} |",
        field.name,
        param.unwrap_or_default(),
        field.rule.allowed(),
        default.unwrap_or_default(),
    )
}
