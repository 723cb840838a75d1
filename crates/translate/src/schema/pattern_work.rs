//! How much work it is to compile a pattern, told from its text before it is done. The engine's own
//! limit comes too late: it has worked for two milliseconds when it meets it, and a pattern's
//! leading looks ahead are compiled without it.
//!
//! A unit is about a microsecond of an engine that was compiled with little optimization; the
//! estimate may be half of what it takes, and is often many times that.

/// What any pattern takes.
const PATTERN: u64 = 20;

/// What a piece of a pattern takes where it stands, and for each further time it is repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    first: u64,
    again: u64,
}

const LITERAL: Cost = Cost::new(1, 1);
/// Characters of ASCII alone.
const NARROW: Cost = Cost::new(6, 1);
/// Characters beyond ASCII, too.
const WIDE: Cost = Cost::new(25, 10);
/// All but the ends of lines.
const ANY: Cost = Cost::new(60, 10);
/// A property of Unicode: hundreds of ranges.
const PROPERTY: Cost = Cost::new(500, 170);
const GROUP: Cost = Cost::new(2, 1);
const LOOK: Cost = Cost::new(10, 10);
const REPETITION: Cost = Cost::new(4, 1);

impl Cost {
    const fn new(first: u64, again: u64) -> Self {
        Self { first, again }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            first: self.first.saturating_add(other.first),
            again: self.again.saturating_add(other.again),
        }
    }

    fn times(self, times: u64) -> Self {
        let further = self.again.saturating_mul(times.saturating_sub(1));
        Self {
            first: self.first.saturating_add(further),
            again: self.again.saturating_mul(times),
        }
    }
}

/// The work of a pattern in the engine's grammar.
pub(super) fn of(pattern: &str) -> u64 {
    let mut walk = Walk {
        rest: pattern,
        open: Vec::new(),
        level: Level::default(),
        ignores_case: false,
    };
    while walk.step() {}
    while let Some(outer) = walk.open.pop() {
        let inner = std::mem::replace(&mut walk.level, outer);
        walk.level.add(inner.sum());
    }
    let inner = pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'));
    let sum = match (inner, walk.level.only) {
        // Characters of one class are counted, whatever the number.
        (Some(_), Some(one)) => one.first,
        _ => walk.level.sum().first,
    };
    let sum = if walk.ignores_case {
        sum.saturating_mul(3)
    } else {
        sum
    };
    sum.saturating_add(PATTERN)
}

/// The pieces of a group so far.
#[derive(Debug, Default)]
struct Level {
    before: Cost,
    /// The last piece, which a quantifier may repeat.
    last: Cost,
    /// The only piece, before it was repeated.
    only: Option<Cost>,
    pieces: usize,
}

impl Level {
    fn add(&mut self, piece: Cost) {
        self.before = self.before.plus(self.last);
        self.last = piece;
        self.pieces += 1;
        self.only = (self.pieces == 1).then_some(piece);
    }

    fn sum(&self) -> Cost {
        self.before.plus(self.last)
    }
}

struct Walk<'p> {
    rest: &'p str,
    /// The groups around the one that is walked through.
    open: Vec<Level>,
    level: Level,
    ignores_case: bool,
}

impl Walk<'_> {
    fn take(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Counts what comes next; false at the end.
    fn step(&mut self) -> bool {
        let Some(next) = self.rest.chars().next() else {
            return false;
        };
        match next {
            '\\' => {
                let cost = self.escape();
                self.level.add(cost);
            }
            '[' => {
                self.take(1);
                let cost = self.class();
                self.level.add(cost);
            }
            '(' => self.group(),
            ')' => {
                self.take(1);
                if let Some(outer) = self.open.pop() {
                    let inner = std::mem::replace(&mut self.level, outer);
                    self.level.add(inner.sum());
                    // Only classes are counted.
                    self.level.only = None;
                }
            }
            '{' => {
                let (inner, _) = self.rest.split_once('}').unwrap_or((self.rest, ""));
                let numbers = inner.get(1..).unwrap_or_default().split(',');
                let most = numbers
                    .map(|number| number.trim().parse::<u64>().unwrap_or_default())
                    .max();
                // At least: one piece more.
                let times = most.unwrap_or_default().saturating_add(1);
                self.level.last = self.level.last.times(times);
                self.take(inner.len() + 1);
            }
            '*' | '+' | '?' => {
                self.take(1);
                self.level.last = self.level.last.plus(REPETITION);
            }
            '^' | '$' => self.take(1),
            '.' => {
                self.take(1);
                self.level.add(ANY);
            }
            other => {
                self.take(other.len_utf8());
                self.level.add(LITERAL);
                self.level.only = None;
            }
        }
        true
    }

    fn group(&mut self) {
        self.take(1);
        let mut level = Level::default();
        level.add(GROUP);
        let kind = self.rest.strip_prefix('?').unwrap_or_default();
        if ["=", "!", "<=", "<!"]
            .iter()
            .any(|sign| kind.starts_with(sign))
        {
            level.add(LOOK);
        }
        let mut flags = kind
            .chars()
            .take_while(|c| c.is_ascii_alphabetic() || *c == '-');
        self.ignores_case |= flags.any(|flag| flag == 'i');
        if !kind.is_empty() {
            self.take(1);
        }
        self.open.push(std::mem::replace(&mut self.level, level));
    }

    /// An escape, in a class or outside.
    fn escape(&mut self) -> Cost {
        let escaped = self.rest.chars().nth(1);
        self.take(1 + escaped.map_or(0, char::len_utf8));
        match escaped {
            Some('d' | 'w') => NARROW,
            Some('D' | 'W' | 's' | 'S') => WIDE,
            Some('p' | 'P') => {
                self.braces();
                PROPERTY
            }
            Some('x' | 'u') => {
                self.braces();
                LITERAL
            }
            _ => LITERAL,
        }
    }

    /// The braces of an escape, which are no quantifier.
    fn braces(&mut self) {
        if self.rest.starts_with('{')
            && let Some(end) = self.rest.find('}')
        {
            self.take(end + 1);
        }
    }

    fn class(&mut self) -> Cost {
        let mut cost = NARROW;
        let mut is_wide = self.rest.starts_with('^');
        while let Some(next) = self.rest.chars().next() {
            match next {
                ']' => {
                    self.take(1);
                    break;
                }
                '\\' => {
                    let item = self.escape();
                    cost = cost.plus(if item == LITERAL {
                        Cost::new(1, 0)
                    } else {
                        item
                    });
                }
                other => {
                    self.take(other.len_utf8());
                    is_wide |= !other.is_ascii();
                    cost = cost.plus(Cost::new(1, 0));
                }
            }
        }
        if is_wide { cost.plus(WIDE) } else { cost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_multiply_and_one_counted_class_does_not() {
        let table = [
            ("abc", 20..30),
            ("^[a-z]{1,5000}$", 20..40),
            (r"^\p{L}{1,5000}$", 500..600),
            ("x[a-z]{1,5000}", 5000..6000),
            ("([a-z]{1,50}){1,50}", 2500..3000),
            ("[a-z]{9}{9}{9}", 800..1100),
            (r"(?:\p{L}{9}){9}", 14_000..20_000),
            (r"[\p{L}\p{N}_]x", 1000..1100),
            (r"\x{41}{3}", 20..30),
            ("(?i)[a-z]x", 40..60),
            ("((((a", 20..40),
            ("a)b{", 20..40),
            ("{99}", 20..30),
        ];
        for (pattern, expected) in table {
            let work = of(pattern);
            assert!(expected.contains(&work), "{pattern}: {work}");
        }
    }
}
