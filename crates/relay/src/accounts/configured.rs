//! Accounts that the settings name: `name=key`, separated by commas or, in a file, by lines.

use onemin::ApiKey;

use crate::access::keys::format::is_access_key;

/// The longest name of an account, in bytes.
const NAME_MAX: usize = 40;

/// Reads a list of accounts. Empty entries and lines that begin with `#` are passed over.
///
/// # Errors
/// Which entry is wrong, by its number, without any key.
pub fn parse(text: &str) -> Result<Vec<(String, ApiKey)>, String> {
    let entries = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    let mut accounts: Vec<(String, ApiKey)> = Vec::new();
    for (number, entry) in entries.enumerate() {
        let number = number + 1;
        let (name, key) = entry
            .split_once('=')
            .ok_or_else(|| format!("account {number} must be NAME=KEY"))?;
        let name = check_name(name.trim()).map_err(|error| format!("account {number}: {error}"))?;
        let key = account_key(key).map_err(|error| format!("account `{name}`: {error}"))?;
        if accounts.iter().any(|(other, _)| *other == name) {
            return Err(format!("account `{name}` is named twice"));
        }
        accounts.push((name, key));
    }
    Ok(accounts)
}

/// The 1min.ai key of an account.
///
/// # Errors
/// What is wrong with it: an access key of a relay never goes to 1min.ai.
pub fn account_key(text: &str) -> Result<ApiKey, String> {
    if is_access_key(text.trim()) {
        return Err("an account needs a key of 1min.ai, not an access key of a relay".to_owned());
    }
    ApiKey::parse(text).map_err(|error| error.to_string())
}

/// A name as accounts may have.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(is_plain) {
        return Err(format!(
            "a name has 1 to {NAME_MAX} letters, digits, dots, hyphens and underscores"
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_from_settings_and_files() {
        let names = |text: &str| -> Result<Vec<String>, String> {
            Ok(parse(text)?
                .into_iter()
                .map(|(name, key)| format!("{name}:{}", key.expose()))
                .collect())
        };
        assert_eq!(names("").unwrap(), Vec::<String>::new());
        assert_eq!(names("a=1, b=2=3,").unwrap(), ["a:1", "b:2=3"]);
        assert_eq!(names("# ours\na = 1\n\nb=2\n").unwrap(), ["a:1", "b:2"]);
    }

    #[test]
    fn a_wrong_entry_is_named_without_its_key() {
        for (text, expected) in [
            ("hunter2", "account 1 must be NAME=KEY"),
            ("a=1,hunter2", "account 2 must be"),
            ("a b=hunter2", "account 1: a name"),
            ("a=hunter 2", "account `a`"),
            ("a=sk-relay-hunter2", "not an access key"),
            ("a=hunter2,a=hunter2", "named twice"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(
                refused.contains(expected) && !refused.contains("hunter"),
                "{refused}"
            );
        }
    }
}
