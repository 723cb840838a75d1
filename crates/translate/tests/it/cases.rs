//! Case files: `== name`, lines that begin with `> ` and say what is expected, `---`, the text.

use std::path::{Path, PathBuf};

/// One case.
pub(crate) struct Case {
    /// Its name, for messages.
    pub(crate) name: String,
    /// What is expected and under which conditions: a word and the rest of its line.
    pub(crate) wants: Vec<(String, String)>,
    /// What the model wrote.
    pub(crate) text: String,
}

impl Case {
    /// Whether a condition is set.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.wants.iter().any(|(w, _)| w == word)
    }

    /// What stands behind a word, for each of its lines.
    pub(crate) fn all(&self, word: &str) -> Vec<&str> {
        self.wants
            .iter()
            .filter(|(w, _)| w == word)
            .map(|(_, rest)| rest.as_str())
            .collect()
    }

    /// What stands behind a word.
    pub(crate) fn get(&self, word: &str) -> Option<&str> {
        self.all(word).first().copied()
    }
}

/// The files of a folder with their cases, by name.
pub(crate) fn folder(name: &str) -> Vec<(String, Vec<Case>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    files.sort();
    let read = |path: &PathBuf| {
        let dialect = path.file_stem().unwrap().to_string_lossy().into_owned();
        (dialect, parse(&std::fs::read_to_string(path).unwrap()))
    };
    files.iter().map(read).collect()
}

fn parse(file: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in format!("\n{file}").split("\n== ").skip(1) {
        let (head, text) = block
            .split_once("\n---\n")
            .unwrap_or_else(|| panic!("no text: {block}"));
        let mut lines = head.lines();
        let name = lines.next().unwrap().to_owned();
        let wants = lines.map(|line| {
            let line = line
                .strip_prefix("> ")
                .unwrap_or_else(|| panic!("{name}: {line}"));
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            (word.to_owned(), rest.to_owned())
        });
        let wants = wants.collect();
        let text = text.strip_suffix('\n').unwrap_or(text).to_owned();
        cases.push(Case { name, wants, text });
    }
    cases
}

/// Ways to cut a text: whole, by characters, in two at each border if it is short, and at random.
pub(crate) fn cuts(text: &str) -> Vec<Vec<usize>> {
    let borders: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).collect();
    let mut ways = vec![Vec::new(), borders.clone()];
    if borders.len() <= 500 {
        ways.extend(borders.iter().map(|at| vec![*at]));
    }
    let mut seed = 0x9e37_79b9_u64;
    for _ in 0..20 {
        let keep = |_: &&usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 60) < 4
        };
        ways.push(borders.iter().filter(keep).copied().collect());
    }
    ways
}

/// The pieces of a text between cuts.
pub(crate) fn pieces<'t>(text: &'t str, cuts: &[usize]) -> Vec<&'t str> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([text.len()]);
    starts
        .zip(ends)
        .map(|(start, end)| &text[start..end])
        .collect()
}
