//! The settings in force, for people to read: each with its value, but no secret.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde::Serialize;
use url::Url;

/// What stands in place of a secret.
const HIDDEN: &str = "(set)";

/// A setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingInForce {
    /// Its environment variable, or its flag if it has none.
    pub name: String,
    /// Its value, empty if it is not set; of a secret only that it is.
    pub value: String,
    /// Whether nobody set it.
    pub is_default: bool,
    /// What it is for.
    pub help: String,
}

/// The settings of a command line and its environment, in the order of the help.
#[must_use]
pub fn list(command: &Command, matches: &ArgMatches) -> Vec<SettingInForce> {
    let own = command
        .get_arguments()
        .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
    own.map(|arg| setting(arg, matches)).collect()
}

fn setting(arg: &Arg, matches: &ArgMatches) -> SettingInForce {
    let id = arg.get_id().as_str();
    let name = match arg.get_env() {
        Some(variable) => variable.to_string_lossy().into_owned(),
        None => format!("--{}", arg.get_long().unwrap_or(id)),
    };
    let values = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
    let values: Vec<String> = values.map(|v| shown(&v.to_string_lossy())).collect();
    let value = match values.join(",") {
        set if arg.is_hide_env_values_set() && !set.is_empty() => HIDDEN.to_owned(),
        value => value,
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    SettingInForce {
        name,
        value,
        is_default: matches!(
            matches.value_source(id),
            None | Some(ValueSource::DefaultValue)
        ),
        help,
    }
}

/// A value without the password that a URL may hold.
fn shown(value: &str) -> String {
    match Url::parse(value) {
        Ok(mut url) if url.password().is_some() => match url.set_password(Some("***")) {
            Ok(()) => url.into(),
            Err(()) => HIDDEN.to_owned(),
        },
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::config::Settings;

    #[test]
    fn settings_are_listed_with_their_values_and_without_secrets() {
        let flags = [
            "relay",
            "--port=8080",
            "--relay-secret=sixteen letters or more",
            "--embeddings-base-url=http://user:hidden@localhost:1/v1",
            "--trusted-proxies=10.0.0.0/8,192.0.2.1",
        ];
        let command = Settings::command();
        let matches = command.clone().get_matches_from(flags);
        let list = list(&command, &matches);
        let of = |name: &str| list.iter().find(|setting| setting.name == name).unwrap();
        assert_eq!(
            (of("PORT").value.as_str(), of("PORT").is_default),
            ("8080", false)
        );
        assert_eq!(
            (of("HOST").value.as_str(), of("HOST").is_default),
            ("0.0.0.0", true)
        );
        assert_eq!(of("RELAY_SECRET").value, "(set)");
        assert_eq!(of("S3_BUCKET").value, "");
        assert_eq!(of("TRUSTED_PROXIES").value, "10.0.0.0/8,192.0.2.1");
        assert!(of("PORT").help.contains("port"));
        let text = serde_json::to_string(&list).unwrap();
        assert!(
            !text.contains("sixteen") && !text.contains("hidden"),
            "{text}"
        );
    }
}
