//! The commands beside serving: keys, accounts, use. They work on the database, so they need no
//! relay that runs; one that does notices within two seconds.

pub mod commands;
pub mod probe;

use std::io::{IsTerminal as _, Read as _, Write as _};

use onemin::ApiKey;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use translate::failure::Failure;

use crate::accounts::configured::{account_key, check_name};
use crate::config::sharing::budget;
use crate::ledger::period::Per;
use crate::ledger::usage::credits;
use crate::management::keys::{KeyEntry, Keys, MadeKey};
use crate::management::report::{Query, Reports, Viewer};
use crate::sharing::Sharing;
use commands::{AccountCommand, Command, KeyCommand, KeyFields, UsageArgs};

/// Runs a command and gives what it prints.
///
/// # Errors
/// What is wrong, for people.
pub async fn run(sharing: &Sharing, command: Command) -> Result<String, String> {
    sharing.refresh().await;
    match command {
        Command::Key(command) => key(sharing, command).await,
        Command::Account(command) => account(sharing, command).await,
        Command::Usage(args) => usage(sharing, args).await,
        Command::Serve | Command::Probe(_) => Ok(String::new()),
    }
}

async fn key(sharing: &Sharing, command: KeyCommand) -> Result<String, String> {
    let keys = Keys {
        keys: &sharing.keys,
        ledger: &sharing.gate.ledger,
    };
    match command {
        KeyCommand::Add { name, fields } => {
            let mut changes = fields_of(fields)?;
            changes.insert("name".to_owned(), json!(name));
            Ok(made(&keys.create(&changes).await.map_err(words)?))
        }
        KeyCommand::List => Ok(listed(&keys.list().await.map_err(words)?)),
        KeyCommand::Show { key } => {
            let key = keys.find(&key).await.map_err(words)?;
            Ok(shown(&keys.entry(key).await.map_err(words)?))
        }
        KeyCommand::Set { key, name, fields } => {
            let mut changes = fields_of(fields)?;
            changes.extend(name.map(|name| ("name".to_owned(), json!(name))));
            if changes.is_empty() {
                return Err("nothing to change: give at least one option".to_owned());
            }
            Ok(shown(&keys.update(&key, &changes).await.map_err(words)?))
        }
        KeyCommand::Off { key } => switched(&keys, &key, true).await,
        KeyCommand::On { key } => switched(&keys, &key, false).await,
        KeyCommand::Rotate { key, grace } => {
            let seconds = grace.map_or(0, |grace| grace.as_secs());
            Ok(made(&keys.rotate(&key, seconds).await.map_err(words)?))
        }
        KeyCommand::Reset { key, per } => Ok(shown(&keys.reset(&key, &per).await.map_err(words)?)),
        KeyCommand::Rm { key } => {
            keys.remove(&key).await.map_err(words)?;
            Ok("deleted\n".to_owned())
        }
    }
}

async fn switched(keys: &Keys<'_>, key: &str, disabled: bool) -> Result<String, String> {
    let mut changes = Map::new();
    changes.insert("disabled".to_owned(), json!(disabled));
    Ok(shown(&keys.update(key, &changes).await.map_err(words)?))
}

async fn account(sharing: &Sharing, command: AccountCommand) -> Result<String, String> {
    let pool = &sharing.gate.pool;
    let store = pool.store();
    match command {
        AccountCommand::Add { name } => {
            let name = check_name(&name)?;
            let key = read_key()?;
            let sealed = pool.seal(&name, &key).map_err(|error| error.to_string())?;
            let adding = store.add(name.clone(), sealed).await;
            adding.map_err(|error| format!("the database: {error}"))?;
            Ok(format!(
                "account `{name}` added; its key is sealed with RELAY_SECRET\n"
            ))
        }
        AccountCommand::List => {
            let records = store.list().await;
            let records = records.map_err(|error| format!("the database: {error}"))?;
            let mut rows =
                vec![["account", "key", "limit", "used", "spent here"].map(str::to_owned)];
            let number = |number: Option<i64>| number.map_or("-".to_owned(), amount);
            for status in pool.statuses().iter().filter(|status| status.is_configured) {
                if records.iter().all(|record| record.name != status.name) {
                    let unknown = ["-", "-", "-"].map(str::to_owned);
                    let [limit, used, booked] = unknown;
                    rows.push([
                        status.name.clone(),
                        "settings".to_owned(),
                        limit,
                        used,
                        booked,
                    ]);
                }
            }
            for record in &records {
                let configured = pool.statuses();
                let is_configured = configured
                    .iter()
                    .any(|status| status.is_configured && status.name == record.name);
                let place = match (is_configured, &record.sealed) {
                    (true, _) => "settings",
                    (false, Some(_)) => "database",
                    (false, None) => "removed",
                };
                rows.push([
                    record.name.clone(),
                    place.to_owned(),
                    number(record.credit_limit),
                    number(record.used_credit),
                    amount(record.booked),
                ]);
            }
            Ok(table(&rows))
        }
        AccountCommand::Rm { name } => {
            let removed = store.remove(name.clone()).await;
            if removed.map_err(|error| format!("the database: {error}"))? {
                Ok(format!(
                    "account `{name}` removed; what it has paid for stays in the ledger\n"
                ))
            } else {
                Err(format!(
                    "the database has no account `{name}`; those of the settings are removed there"
                ))
            }
        }
    }
}

async fn usage(sharing: &Sharing, args: UsageArgs) -> Result<String, String> {
    let mut query = Query::new();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            query.insert(name.to_owned(), value);
        }
    };
    set("by", Some(args.by.clone()));
    set("from", args.from);
    set("to", args.to);
    set("key", args.key);
    set("model", args.model);
    set(
        "format",
        Some(if args.csv { "csv" } else { "json" }.to_owned()),
    );
    let reports = Reports {
        ledger: &sharing.gate.ledger,
        keys: &sharing.keys,
    };
    let report = reports.usage(&Viewer::Owner, &query).await.map_err(words)?;
    if args.csv {
        return String::from_utf8(report.body).map_err(|error| error.to_string());
    }
    let report: Value = serde_json::from_slice(&report.body).map_err(|error| error.to_string())?;
    let entries = report
        .get("data")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let Some(Value::Object(first)) = entries.first() else {
        return Ok("no usage in this period\n".to_owned());
    };
    let columns: Vec<String> = first.keys().cloned().collect();
    let mut rows = vec![columns.clone()];
    for entry in &entries {
        let cells =
            columns.iter().map(
                |column| match entry.get(column.as_str()).unwrap_or(&Value::Null) {
                    Value::String(text) => text.clone(),
                    Value::Null => "-".to_owned(),
                    value => value.to_string(),
                },
            );
        rows.push(cells.collect());
    }
    Ok(table(&rows))
}

/// The key of an account: typed, or piped in. It is no argument, since those are for all to see.
fn read_key() -> Result<ApiKey, String> {
    let mut text = String::new();
    let input = std::io::stdin();
    if input.is_terminal() {
        eprint!("The account's 1min.ai key: ");
        let _ = std::io::stderr().flush();
        input
            .read_line(&mut text)
            .map_err(|error| error.to_string())?;
    } else {
        let mut bytes = input.lock().take(4096);
        bytes
            .read_to_string(&mut text)
            .map_err(|error| error.to_string())?;
    }
    account_key(&text)
}

/// What a flag names; nothing where its word for no limit stands alone. A flag that names nothing, such
/// as an unset variable of a shell, must not lift a limit.
fn given(flag: &str, list: Vec<String>, no_limit: &str) -> Result<Vec<String>, String> {
    let mut named = list;
    named.retain(|entry| !entry.trim().is_empty());
    if named.is_empty() {
        return Err(format!(
            "{flag} names nothing; `{no_limit}` lifts the limit"
        ));
    }
    if named.iter().any(|entry| entry == no_limit) {
        named.clear();
    }
    Ok(named)
}

fn fields_of(fields: KeyFields) -> Result<Map<String, Value>, String> {
    let mut changes = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            changes.insert(name.to_owned(), value);
        }
    };
    let list = |flag: &str, list: Option<Vec<String>>| {
        let list = list.map(|list| given(flag, list, "all")).transpose()?;
        Ok::<_, String>(list.map(|list| json!(list)))
    };
    set("models", list("--models", fields.models)?);
    set("uses", list("--uses", fields.uses)?);
    set("accounts", list("--accounts", fields.accounts)?);
    let number = |number: u32| {
        if number == 0 {
            Value::Null
        } else {
            json!(number)
        }
    };
    set("rpm", fields.rpm.map(number));
    set("parallel", fields.parallel.map(number));
    if let Some(expires) = fields.expires {
        set("expires_at", Some(expiry(&expires)?));
    }
    if let Some(budgets) = fields.budget {
        let budgets = given("--budget", budgets, "none")?;
        let budgets: Result<Vec<Value>, String> = budgets
            .iter()
            .map(|text| {
                let budget = budget(text)?;
                Ok(json!({"per": budget.per.as_str(), "credits": credits(budget.credits)}))
            })
            .collect();
        set("budgets", Some(json!(budgets?)));
    }
    Ok(changes)
}

/// A date, a moment, a time from now (`30d`), or `never`.
fn expiry(text: &str) -> Result<Value, String> {
    if text == "never" {
        return Ok(Value::Null);
    }
    if let Ok(span) = humantime::parse_duration(text) {
        let at = jiff::Timestamp::now().checked_add(span);
        return at
            .map(|at| json!(at.to_string()))
            .map_err(|error| error.to_string());
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        return Ok(json!(format!("{date}T00:00:00Z")));
    }
    let moment = text.parse::<jiff::Timestamp>();
    let moment =
        moment.map_err(|_| "--expires must be a date, a time from now such as 30d, or never")?;
    Ok(json!(moment.to_string()))
}

fn made(key: &MadeKey) -> String {
    format!(
        "{}\n\nThis is shown only once. It is the API key for {}; the base URL is http://HOST:PORT/v1.\n\n{}",
        key.text.expose_secret(),
        key.entry.name,
        shown(&key.entry)
    )
}

fn listed(keys: &[KeyEntry]) -> String {
    if keys.is_empty() {
        return "there are no access keys; `1min-relay key add NAME` makes one\n".to_owned();
    }
    let mut rows = vec![
        [
            "id",
            "name",
            "state",
            "today",
            "this month",
            "in all",
            "budgets",
        ]
        .map(str::to_owned),
    ];
    for key in keys {
        rows.push([
            key.hash.clone(),
            key.name.clone(),
            state(key).to_owned(),
            key.usage_daily.to_string(),
            key.usage_monthly.to_string(),
            key.usage.to_string(),
            budgets(key),
        ]);
    }
    table(&rows)
}

fn shown(key: &KeyEntry) -> String {
    let all = |list: &[String]| {
        if list.is_empty() {
            "all".to_owned()
        } else {
            list.join(", ")
        }
    };
    let uses: Vec<String> = key.uses.iter().map(|of| (*of).to_owned()).collect();
    let limit = |limit: Option<u32>| limit.map_or("no limit".to_owned(), |limit| limit.to_string());
    let rows = [
        ["id".to_owned(), key.hash.clone()],
        ["name".to_owned(), key.name.clone()],
        ["state".to_owned(), state(key).to_owned()],
        [
            "expires".to_owned(),
            key.expires_at.clone().unwrap_or("never".to_owned()),
        ],
        ["models".to_owned(), all(&key.models)],
        ["uses".to_owned(), all(&uses)],
        ["accounts".to_owned(), all(&key.accounts)],
        ["requests a minute".to_owned(), limit(key.rpm)],
        ["requests at once".to_owned(), limit(key.parallel)],
        ["budgets".to_owned(), budgets(key)],
        ["credits in all".to_owned(), key.usage.to_string()],
    ];
    table(&rows)
}

fn state(key: &KeyEntry) -> &'static str {
    let now = jiff::Timestamp::now().to_string();
    if key.disabled {
        "disabled"
    } else if key
        .expires_at
        .as_ref()
        .is_some_and(|expires| *expires <= now)
    {
        "expired"
    } else {
        "active"
    }
}

fn budgets(key: &KeyEntry) -> String {
    if key.budgets.is_empty() {
        return "none".to_owned();
    }
    let budgets = key.budgets.iter().map(|budget| {
        let per = match Per::of_word(budget.per) {
            Some(Per::Total) | None => "in all".to_owned(),
            Some(per) => format!("a {}", per.as_str()),
        };
        format!("{} of {} {per}", budget.used, budget.credits)
    });
    budgets.collect::<Vec<_>>().join(", ")
}

fn amount(thousandths: i64) -> String {
    credits(thousandths).to_string()
}

/// The widest column, in characters. Longer cells push the rest of their line aside.
const WIDEST: usize = 120;

/// Columns under each other.
fn table<R: AsRef<[String]>>(rows: &[R]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (column, text) in row.as_ref().iter().enumerate() {
            let width = text.chars().count().min(WIDEST);
            match widths.get_mut(column) {
                Some(known) => *known = width.max(*known),
                None => widths.push(width),
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells = row.as_ref().iter().zip(&widths);
        let line: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn words(failure: Failure) -> String {
    match failure.detail {
        Some(detail) => format!("{} ({detail})", failure.message),
        None => failure.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_bears_cells_of_any_length() {
        let long = "x".repeat(100_000);
        let rows = [["model", "credits"], [long.as_str(), "1"]];
        let printed = table(&rows.map(|row| row.map(str::to_owned)));
        let lines: Vec<usize> = printed.lines().map(str::len).collect();
        assert_eq!(
            lines,
            [WIDEST + "  credits".len(), long.len() + "  1".len()]
        );
    }
}
