//! Prices of a list of 2026, for when upstream cannot be asked.

use std::sync::LazyLock;

use serde_json::Value;

use super::unit::Unit;

/// Feature, model (a beginning that ends in `*`), unit, `creditMetadata`; tab-separated.
const LIST: &str = include_str!("../../../../fixtures/onemin/prices.tsv");

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| LIST.lines().filter_map(row).collect());

#[derive(Debug)]
struct Row {
    feature: &'static str,
    model: &'static str,
    unit: Unit,
    metadata: Value,
}

fn row(line: &'static str) -> Option<Row> {
    if line.starts_with('#') {
        return None;
    }
    let mut columns = line.split('\t');
    Some(Row {
        feature: columns.next()?,
        model: columns.next()?,
        unit: Unit::of_name(columns.next()?)?,
        metadata: serde_json::from_str(columns.next()?).ok()?,
    })
}

/// The unit and `creditMetadata` of a model for a feature, as a list of March 2026 had them. None
/// for a model that was not in it.
#[must_use]
pub fn builtin(feature: &str, model: &str) -> Option<(Unit, &'static Value)> {
    let fits = |row: &&Row| {
        let is_model = match row.model.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == row.model,
        };
        is_model && (row.feature == "*" || row.feature == feature)
    };
    let found = ROWS.iter().find(fits)?;
    Some((found.unit, &found.metadata))
}

#[cfg(test)]
mod tests {
    use super::{LIST, ROWS};

    #[test]
    fn every_row_can_be_read() {
        let rows = LIST.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rows.count(), ROWS.len());
    }
}
