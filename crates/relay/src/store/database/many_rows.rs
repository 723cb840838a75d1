//! One statement for many rows. A statement costs far more than a row of it.

use super::value::Param;

/// Rows that one statement writes at most. Statements are prepared once for each size.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// A statement over a list of rows: `INSERT INTO table (columns) VALUES` or `… IN (VALUES`, as many
/// values as a row has, and what follows the rows, such as `ON CONFLICT …`.
#[derive(Debug, Clone, Copy)]
pub struct ManyRows<'s> {
    /// Up to `VALUES`.
    pub head: &'s str,
    /// Values of a row.
    pub width: usize,
    /// After the rows.
    pub tail: &'s str,
}

/// How a database wants its parameters written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholders {
    /// `?`: SQLite looks names up one after the other, and `$1` is a name.
    Unnamed,
    /// `$1`.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "only PostgreSQL numbers its parameters")
    )]
    Numbered,
}

impl ManyRows<'_> {
    /// The statements for the values of all rows, one after the other.
    pub(super) fn statements(
        self,
        placeholders: Placeholders,
        values: Vec<Param>,
    ) -> impl Iterator<Item = (String, Vec<Param>)> {
        let width = self.width.max(1);
        let mut values = values.into_iter();
        std::iter::from_fn(move || {
            let left = values.len() / width;
            let rows = SIZES.into_iter().find(|size| *size <= left)?;
            let taken: Vec<Param> = values.by_ref().take(rows * width).collect();
            Some((self.text(placeholders, rows), taken))
        })
    }

    fn text(self, placeholders: Placeholders, rows: usize) -> String {
        let Self { head, width, tail } = self;
        let mut text = String::with_capacity(head.len() + tail.len() + rows * width * 6);
        text.push_str(head);
        for row in 0..rows {
            text.push_str(if row == 0 { " (" } else { ", (" });
            for column in 0..width {
                if column > 0 {
                    text.push(',');
                }
                match placeholders {
                    Placeholders::Unnamed => text.push('?'),
                    Placeholders::Numbered => {
                        text.push('$');
                        text.push_str(&(row * width + column + 1).to_string());
                    }
                }
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(tail);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(placeholders: Placeholders, rows: i64) -> Vec<(String, usize)> {
        let many = ManyRows {
            head: "INSERT INTO t (a, b) VALUES",
            width: 2,
            tail: "ON CONFLICT DO NOTHING",
        };
        let values = (0..2 * rows).map(Param::from).collect();
        let statements = many.statements(placeholders, values);
        statements
            .map(|(sql, values)| (sql, values.len()))
            .collect()
    }

    #[test]
    fn rows_are_written_in_few_statements_of_few_sizes() {
        let sizes = |rows| -> Vec<usize> {
            let statements = statements(Placeholders::Unnamed, rows).into_iter();
            statements.map(|(_, values)| values / 2).collect()
        };
        assert!(sizes(0).is_empty());
        assert_eq!(sizes(3), [1, 1, 1]);
        assert_eq!(sizes(150), [64, 64, 16, 4, 1, 1]);
    }

    #[test]
    fn each_database_gets_its_placeholders() {
        let sqlite = statements(Placeholders::Unnamed, 4);
        let expected =
            "INSERT INTO t (a, b) VALUES (?,?), (?,?), (?,?), (?,?) ON CONFLICT DO NOTHING";
        assert_eq!(sqlite, [(expected.to_owned(), 8)]);
        let postgres = statements(Placeholders::Numbered, 4);
        let expected =
            "INSERT INTO t (a, b) VALUES ($1,$2), ($3,$4), ($5,$6), ($7,$8) ON CONFLICT DO NOTHING";
        assert_eq!(postgres, [(expected.to_owned(), 8)]);
    }
}
