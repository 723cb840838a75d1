//! What an access key may be used for: models by globs, uses, a time to live.

use translate::failure::{Failure, Kind};

use super::{AccessKey, Use};

impl AccessKey {
    /// Whether it opens at a time.
    ///
    /// # Errors
    /// A [`Kind::Unauthenticated`] failure that says why not.
    pub fn check_open(&self, now: i64) -> Result<(), Failure> {
        let reason = if self.disabled {
            "is disabled"
        } else if self.expires.is_some_and(|expires| expires <= now) {
            "has expired"
        } else {
            return Ok(());
        };
        let message =
            format!("This access key {reason}. Ask the operator of this relay for another.");
        Err(Failure::new(Kind::Unauthenticated, message).with_retry(false))
    }

    /// Whether it permits a model.
    #[must_use]
    pub fn permits_model(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|glob| matches(glob, model))
    }

    /// Whether it permits a use of a model.
    ///
    /// # Errors
    /// A [`Kind::Forbidden`] failure for the use, a [`Kind::ModelNotFound`] failure for the model.
    pub fn check(&self, of: Use, model: &str) -> Result<(), Failure> {
        self.check_use(of)?;
        self.check_model(model)
    }

    /// Whether it permits a use.
    ///
    /// # Errors
    /// A [`Kind::Forbidden`] failure.
    pub fn check_use(&self, of: Use) -> Result<(), Failure> {
        if !self.uses.is_empty() && !self.uses.contains(&of) {
            let permitted: Vec<&str> = self.uses.iter().map(|of| of.as_str()).collect();
            let message = format!(
                "This access key may not be used for {}; it may be used for {}.",
                of.as_str(),
                permitted.join(", ")
            );
            return Err(Failure::new(Kind::Forbidden, message).with_retry(false));
        }
        Ok(())
    }

    /// Whether it permits a model.
    ///
    /// # Errors
    /// A [`Kind::ModelNotFound`] failure.
    pub fn check_model(&self, model: &str) -> Result<(), Failure> {
        if self.permits_model(model) {
            return Ok(());
        }
        let model: String = model.chars().take(120).collect();
        let message = format!(
            "The model `{model}` does not exist or may not be used with this access key (1002). GET /v1/models lists the available models."
        );
        Err(Failure::new(Kind::ModelNotFound, message)
            .with_param("model")
            .with_retry(false))
    }

    /// Whether an account may pay for it.
    #[must_use]
    pub fn permits_account(&self, name: &str) -> bool {
        self.accounts.is_empty() || self.accounts.iter().any(|glob| matches(glob, name))
    }
}

/// Whether a text fits a glob: `*` is any text, `?` any character, everything else itself, in
/// either case of letters.
#[must_use]
pub fn matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    // Where the last star stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    let (mut g, mut t) = (0, 0);
    while let Some(letter) = text.get(t) {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, t));
                g += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                g += 1;
                t += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    g = *at + 1;
                    t = *taken;
                }
                None => return false,
            },
        }
    }
    glob.get(g..)
        .is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        let table = [
            ("gpt-4o-mini", "gpt-4o-mini", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "GPT-4o-mini", true),
            ("*mini", "gpt-4o-mini", true),
            ("*mini", "gpt-4o-minimal", false),
            ("claude-*-4-?", "claude-sonnet-4-5", true),
            ("claude-*-4-?", "claude-sonnet-4-55", false),
            ("*/llama*", "meta/llama-4", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("", "a", false),
        ];
        for (glob, text, expected) in table {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
    }

    #[test]
    fn a_key_says_what_it_does_not_permit() {
        let key = AccessKey {
            models: vec!["gpt-4o*".to_owned()],
            uses: vec![Use::Chat],
            expires: Some(1000),
            ..AccessKey::default()
        };
        let kind = |refused: Result<(), Failure>| refused.err().map(|failure| failure.kind);
        assert_eq!(kind(key.check(Use::Chat, "gpt-4o-mini")), None);
        assert_eq!(
            kind(key.check(Use::Chat, "gpt-5")),
            Some(Kind::ModelNotFound)
        );
        assert_eq!(
            kind(key.check(Use::Images, "gpt-4o")),
            Some(Kind::Forbidden)
        );
        assert_eq!(kind(key.check_open(999)), None);
        assert_eq!(kind(key.check_open(1000)), Some(Kind::Unauthenticated));
        assert_eq!(kind(AccessKey::default().check(Use::Native, "x")), None);
    }
}
