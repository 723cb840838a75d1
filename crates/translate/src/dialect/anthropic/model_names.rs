//! Names of Anthropic's models, as its clients say them, and which model of the catalogue is meant.
//!
//! Clients name families (`sonnet`), versions (`claude-sonnet-4-5`), dated ids
//! (`claude-sonnet-4-5-20250929`), the newest of a version (`claude-3-5-haiku-latest`), or any of
//! these with Claude Code's mark of a long context (`sonnet[1m]`); resellers add their own spelling
//! (`us.anthropic.claude-…-v1:0`, `anthropic/claude-…`, `claude-…@20250929`). All are read into
//! family, version and date, the catalogue's ids as well, and compared as such.

use std::cmp::Reverse;

/// Families that stand in for one of which the catalogue has no member. Haiku, Sonnet and Opus have
/// none: another family there would be another price.
const STAND_INS: &[(&str, &[&str])] = &[
    ("mythos", &["fable", "opus"]),
    ("fable", &["mythos", "opus"]),
    ("instant", &["haiku"]),
    ("", &["sonnet"]),
];

/// The families that Anthropic's list of models calls lines.
const LINES: [&str; 5] = ["haiku", "sonnet", "opus", "fable", "mythos"];

/// The catalogue's model that a client means by a name; none if it means nothing that is known.
///
/// In this order: the very id; an override; the same version of the family, of the same date if
/// there is one; the family's newest if no version was named; else the next newer version, for
/// names outlive models; else the newest that is older.
///
/// An override `(from, to)` matches the name itself, the name without its mark of a long context,
/// the version (`claude-sonnet-4-5`) or the family (`sonnet`), the most exact first. Its `to` is a
/// name like any other, but overrides are not applied to it; if it means nothing, the name does not
/// either, for the operator wanted no other model in its place.
#[must_use]
pub fn resolve<'a, S: AsRef<str>>(
    name: &str,
    catalogue: &'a [S],
    overrides: &[(String, String)],
) -> Option<&'a str> {
    let name = name.trim();
    if let Some(id) = exact(name, catalogue) {
        return Some(id);
    }
    match overridden(name, overrides) {
        Some(to) => exact(to, catalogue).or_else(|| meant(to, catalogue)),
        None => meant(name, catalogue),
    }
}

/// The line of a model, as Anthropic's list of models has it; none for other vendors' models.
#[must_use]
pub fn line(id: &str) -> Option<&'static str> {
    let name = Name::read(id)?;
    LINES.into_iter().find(|line| *line == name.family)
}

fn exact<'a, S: AsRef<str>>(name: &str, catalogue: &'a [S]) -> Option<&'a str> {
    let mut ids = catalogue.iter().map(AsRef::as_ref);
    ids.find(|id| *id == name || *id == without_mark(name))
}

fn overridden<'o>(name: &str, overrides: &'o [(String, String)]) -> Option<&'o str> {
    let mut spellings = vec![name.to_owned(), without_mark(name).to_owned()];
    if let Some(read) = Name::read(name) {
        spellings.extend([read.canonical(), read.family]);
    }
    let target = |spelling: &String| overrides.iter().find(|(from, _)| from == spelling);
    spellings.iter().find_map(target).map(|(_, to)| to.as_str())
}

fn meant<'a, S: AsRef<str>>(name: &str, catalogue: &'a [S]) -> Option<&'a str> {
    let wanted = Name::read(name)?;
    let ids = catalogue.iter().map(AsRef::as_ref);
    let known: Vec<(Name, &str)> = ids.filter_map(|id| Some((Name::read(id)?, id))).collect();
    let stand_ins = STAND_INS
        .iter()
        .find(|(family, _)| *family == wanted.family);
    let stand_ins = stand_ins.map(|(_, families)| *families).unwrap_or_default();
    let mut families = std::iter::once(wanted.family.as_str()).chain(stand_ins.iter().copied());
    families.find_map(|family| best(&wanted, family, &known))
}

fn best<'a>(wanted: &Name, family: &str, known: &[(Name, &'a str)]) -> Option<&'a str> {
    let members = || {
        known
            .iter()
            .filter(|(name, _)| name.family == family && !name.version.is_empty())
    };
    let newest = || {
        members()
            .min_by_key(|(name, id)| (Reverse(name.version.clone()), Reverse(name.date), id.len()))
    };
    // A version of one family says nothing about another.
    if wanted.version.is_empty() || wanted.family != family {
        return newest().map(|(_, id)| *id);
    }
    let same = members().filter(|(name, _)| name.version == wanted.version);
    let same =
        same.min_by_key(|(name, id)| (name.date != wanted.date, Reverse(name.date), id.len()));
    let newer = members().filter(|(name, _)| name.version > wanted.version);
    let newer = newer.min_by_key(|(name, id)| (name.version.clone(), Reverse(name.date), id.len()));
    same.or(newer).or_else(newest).map(|(_, id)| *id)
}

/// The name without a mark such as `[1m]`.
fn without_mark(name: &str) -> &str {
    let unmarked = name
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once('['));
    unmarked.map_or(name, |(base, _)| base)
}

/// What a name says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Name {
    /// `haiku`, `sonnet` …; empty for `claude-2.1` and its like.
    family: String,
    /// Such as 4 and 5; empty if none is said.
    version: Vec<u32>,
    /// Such as 20250929.
    date: Option<u32>,
}

impl Name {
    /// Reads a name; none if a word in it is no part of a name of Anthropic's.
    fn read(name: &str) -> Option<Self> {
        let name = without_mark(name.trim()).to_ascii_lowercase();
        let name = bare(&name);
        let claude = name.strip_prefix("claude");
        let words = claude
            .unwrap_or(name)
            .split(['-', '.', '@', '_'])
            .filter(|word| !word.is_empty());
        let mut read = Self::default();
        for word in words {
            read.word(word)?;
        }
        let says_something =
            !read.family.is_empty() || (claude.is_some() && !read.version.is_empty());
        says_something.then_some(read)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        match (word.parse::<u32>(), word.len()) {
            (Ok(date), 8) => self.date = Some(date),
            (Ok(number), 1 | 2) => self.version.push(number),
            (Err(_), _) if word == "latest" => {}
            (Err(_), _) if is_family(word) && self.family.is_empty() => {
                word.clone_into(&mut self.family);
            }
            _ => return None,
        }
        // `claude-opus-4-0` is how clients write the version 4.
        if self.version.len() == 2 && self.version.last() == Some(&0) {
            self.version.pop();
        }
        Some(())
    }

    /// Family and version as Anthropic writes them today.
    fn canonical(&self) -> String {
        let mut words = vec!["claude".to_owned()];
        if !self.family.is_empty() {
            words.push(self.family.clone());
        }
        words.extend(self.version.iter().map(u32::to_string));
        words.join("-")
    }
}

fn is_family(word: &str) -> bool {
    LINES.contains(&word) || word == "instant"
}

/// The name without what resellers put around it: a region and publisher before (`us.anthropic.`,
/// `anthropic/`), a revision after (`-v1:0`, `-v1`).
#[must_use]
pub fn bare(name: &str) -> &str {
    let name = name.rsplit_once('/').map_or(name, |(_, model)| model);
    let name = name
        .rsplit_once("anthropic.")
        .map_or(name, |(_, model)| model);
    let name = name.rsplit_once(':').map_or(name, |(model, _)| model);
    let revision = name
        .rsplit_once("-v")
        .filter(|(_, number)| number.parse::<u32>().is_ok());
    revision.map_or(name, |(model, _)| model)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Anthropic's models in 1min.ai's list of 2026-10-06, among others.
    const CATALOGUE: [&str; 15] = [
        "gpt-6.1-sol",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "us.anthropic.claude-opus-4-5-20251101-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-opus-4-6-v1",
        "us.anthropic.claude-opus-4-7",
        "us.anthropic.claude-opus-4-8",
        "us.anthropic.claude-sonnet-4-6",
        "us.anthropic.claude-opus-5",
        "us.anthropic.claude-opus-5-5",
        "us.anthropic.claude-sonnet-5",
        "us.anthropic.claude-fable-5",
        "us.anthropic.claude-fable-5-1",
        "gemini-3.8-flash",
        "meta/llama-4-scout-instruct",
    ];

    #[test]
    fn clients_names_mean_models_of_the_catalogue() {
        let table = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/testdata/anthropic/model_names.tsv"
        ));
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let (name, id) = line.split_once('\t').unwrap();
            let id = (id != "-").then_some(id);
            assert_eq!(resolve(name, &CATALOGUE, &[]), id, "{name}");
        }
    }

    #[test]
    fn a_family_of_another_price_does_not_stand_in() {
        assert_eq!(
            resolve("haiku", &["claude-opus-5", "claude-sonnet-5"], &[]),
            None
        );
        assert_eq!(
            resolve("fable", &["claude-opus-5", "claude-sonnet-5"], &[]),
            Some("claude-opus-5")
        );
    }

    #[test]
    fn of_two_ids_of_one_model_the_dated_one_asked_for_or_else_the_shorter_is_taken() {
        let ids = [
            "us.anthropic.claude-opus-5",
            "claude-opus-5-20260101",
            "claude-opus-5-20260301",
            "claude-opus-5",
        ];
        assert_eq!(
            resolve("anthropic.claude-opus-5-20260101", &ids, &[]),
            Some("claude-opus-5-20260101")
        );
        assert_eq!(
            resolve("opus", &ids[..1], &[]),
            Some("us.anthropic.claude-opus-5")
        );
        assert_eq!(
            resolve("anthropic/claude-opus-5", &ids, &[]),
            Some("claude-opus-5")
        );
    }

    #[test]
    fn overrides_go_from_the_exact_to_the_family() {
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let overrides = [
            pair("haiku", "gemini-3.8-flash"),
            pair("claude-haiku-4-5", "gpt-6.1-sol"),
            pair("claude-haiku-4-5-20251001", "sonnet"),
            pair("my-model", "claude-opus-4-8"),
            pair("us.anthropic.claude-opus-5", "gpt-6.1-sol"),
            pair("fable", "gone"),
        ];
        let table = [
            ("claude-3-5-haiku-latest", Some("gemini-3.8-flash")),
            ("haiku[1m]", Some("gemini-3.8-flash")),
            ("anthropic/claude-haiku-4.5", Some("gpt-6.1-sol")),
            (
                "claude-haiku-4-5-20251001",
                Some("us.anthropic.claude-sonnet-5"),
            ),
            ("my-model", Some("us.anthropic.claude-opus-4-8")),
            (
                "us.anthropic.claude-opus-5",
                Some("us.anthropic.claude-opus-5"),
            ),
            ("fable", None),
            ("claude-sonnet-5", Some("us.anthropic.claude-sonnet-5")),
        ];
        for (name, id) in table {
            assert_eq!(resolve(name, &CATALOGUE, &overrides), id, "{name}");
        }
    }

    #[test]
    fn ids_have_lines() {
        assert_eq!(
            line("us.anthropic.claude-haiku-4-5-20251001-v1:0"),
            Some("haiku")
        );
        assert_eq!(line("gpt-5"), None);
    }
}
