//! Files that stand beside each case of a folder, compared or rewritten.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The variable that asks for rewriting.
const UPDATE: &str = "UPDATE_GOLDEN";

/// A folder of cases: `<case>.<input>` is a case, `<case>.<more>.<…>` stands beside it.
pub(crate) struct Snapshots {
    folder: PathBuf,
    input: &'static str,
    wanted: BTreeMap<String, String>,
}

impl Snapshots {
    /// For a folder whose cases have this extension.
    pub(crate) fn new(folder: PathBuf, input: &'static str) -> Self {
        Self {
            folder,
            input,
            wanted: BTreeMap::new(),
        }
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn case<'t>(&self, file: &'t str) -> Option<&'t str> {
        let (case, extension) = file.split_once('.')?;
        (extension == self.input).then_some(case)
    }

    /// The names of the cases.
    pub(crate) fn cases(&self) -> Vec<String> {
        let files = self.files();
        let cases: Vec<String> = files
            .iter()
            .filter_map(|file| self.case(file))
            .map(str::to_owned)
            .collect();
        assert!(!cases.is_empty(), "{} holds no case", self.folder.display());
        cases
    }

    /// Says what must stand beside a case.
    pub(crate) fn add(&mut self, case: &str, extension: &str, text: String) {
        self.wanted.insert(format!("{case}.{extension}"), text);
    }

    /// Compares every file, or writes it if asked to; a file that belongs to no case is an error.
    pub(crate) fn check(self) {
        let update = std::env::var(UPDATE).is_ok_and(|value| !value.is_empty() && value != "0");
        let mut wrong = Vec::new();
        for (name, text) in &self.wanted {
            let path = self.folder.join(name);
            let old = std::fs::read_to_string(&path).ok();
            if old.as_deref() == Some(text.as_str()) {
                continue;
            }
            if update {
                std::fs::write(path, text).unwrap();
            } else {
                wrong.push(format!("{name}: {}", difference(old.as_deref(), text)));
            }
        }
        for name in self.files() {
            if self.case(&name).is_some() || self.wanted.contains_key(&name) {
                continue;
            }
            if update {
                std::fs::remove_file(self.folder.join(name)).unwrap();
            } else {
                wrong.push(format!("{name}: belongs to no case"));
            }
        }
        let folder = self.folder.display();
        assert!(
            wrong.is_empty(),
            "in {folder} (rewrite with {UPDATE}=1 if this is meant):\n{}",
            wrong.join("\n")
        );
    }
}

/// Where a file first differs from what it must be.
fn difference(old: Option<&str>, new: &str) -> String {
    let Some(old) = old else {
        return "is missing".to_owned();
    };
    let same = old
        .lines()
        .zip(new.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    format!(
        "line {} was\n  {}\nand is\n  {}",
        same + 1,
        line(old),
        line(new)
    )
}
