//! What the original relay read out of a message's words: that it means the account's files, or
//! wants them deleted. Words can be misunderstood, so all of this is off unless the operator wants
//! it; a request says the same for certain with `file` parts and `DELETE /v1/files/{id}`.

use clap::ValueEnum;
use onemin::chat::{self, Accounting};
use translate::chat_request::{ChatRequest, Part, Role};
use translate::failure::Failure;

use crate::access::account_id::AccountId;
use crate::objects::files::Files;

/// What words about files in a chat message do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileKeywords {
    /// Nothing.
    Off,
    /// The account's newest files go along.
    Read,
    /// That, and a request to delete them deletes all of them.
    ReadAndDelete,
}

/// The most files that go along with a message.
const ATTACHED_FILES_MAX: usize = 10;

/// Words for a file: whole ones, and beginnings of Russian ones, which have many endings.
const FILE: (&[&str], &[&str]) = (
    &[
        "file",
        "files",
        "document",
        "documents",
        "attachment",
        "attachments",
    ],
    &["файл", "документ"],
);

/// Words that ask to delete.
const DELETE: (&[&str], &[&str]) = (
    &["delete", "remove", "erase", "сотри", "сотрите", "стереть"],
    &["удали", "удаля", "очист"],
);

/// Words of somebody who asks how something is done, and does not want it done.
const QUESTION: (&[&str], &[&str]) = (
    &["how", "why", "what", "как", "почему", "зачем", "что"],
    &[],
);

/// Whether the last message asks to delete the account's files, and the operator lets it.
#[must_use]
pub fn ask_to_delete(words: FileKeywords, chat: &ChatRequest) -> bool {
    words == FileKeywords::ReadAndDelete && asks_to_delete(&last_words(chat))
}

/// Attaches the account's newest files to a last message that speaks of files and has none.
///
/// # Errors
/// The store does not answer.
pub async fn attach(
    keywords: FileKeywords,
    files: &Files,
    owner: AccountId,
    chat: &mut ChatRequest,
) -> Result<(), Failure> {
    let has_files = |part: &Part| matches!(part, Part::File(_));
    let mut parts = chat.messages.iter().flat_map(|message| &message.parts);
    if keywords == FileKeywords::Off || parts.any(has_files) || !speaks_of_files(&last_words(chat))
    {
        return Ok(());
    }
    let newest = Box::pin(files.newest(owner, ATTACHED_FILES_MAX)).await?;
    if let Some(last) = chat.messages.iter_mut().rfind(|m| m.role == Role::User) {
        last.parts.extend(newest.into_iter().map(Part::uploaded));
    }
    Ok(())
}

/// Deletes the account's files, and says how many there were.
///
/// # Errors
/// The store does not answer.
pub async fn delete(files: Files, owner: AccountId) -> Result<chat::Answer, Failure> {
    let text = match files.delete_all(owner).await? {
        0 => "There were no files to delete.".to_owned(),
        1 => "Your file is deleted.".to_owned(),
        many => format!("Your {many} files are deleted."),
    };
    Ok(chat::Answer {
        text,
        accounting: Accounting::default(),
    })
}

fn last_words(chat: &ChatRequest) -> Vec<String> {
    let last = chat.messages.last().filter(|m| m.role == Role::User);
    let texts = last
        .into_iter()
        .flat_map(|message| &message.parts)
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.to_lowercase()),
            _ => None,
        });
    let words = |text: String| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    texts.flat_map(words).collect()
}

fn speaks_of_files(words: &[String]) -> bool {
    has(words, FILE)
}

fn asks_to_delete(words: &[String]) -> bool {
    has(words, DELETE) && has(words, FILE) && !has(words, QUESTION)
}

fn has(words: &[String], (whole, beginnings): (&[&str], &[&str])) -> bool {
    words.iter().any(|word| {
        whole.contains(&word.as_str()) || beginnings.iter().any(|begin| word.starts_with(begin))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use translate::chat_request::Message;

    #[test]
    fn words_for_files_and_for_their_end_are_known_in_two_languages() {
        let table = [
            ("Summarise my documents, please", true, false),
            ("Что в файлах?", true, false),
            ("delete all my files", true, true),
            ("Please REMOVE the documents.", true, true),
            ("удали мои файлы", true, true),
            ("How do I delete a file in Python?", true, false),
            ("Как удалить файл?", true, false),
            ("delete my account", false, false),
            ("profile the code", false, false),
            ("", false, false),
        ];
        for (text, speaks, deletes) in table {
            let message = Message {
                role: Role::User,
                name: None,
                parts: vec![Part::Text(text.to_owned())],
            };
            let chat = ChatRequest {
                messages: vec![message],
                ..ChatRequest::default()
            };
            let words = last_words(&chat);
            assert_eq!(
                (speaks_of_files(&words), asks_to_delete(&words)),
                (speaks, deletes),
                "{text}"
            );
            assert!(!ask_to_delete(FileKeywords::Read, &chat));
        }
    }
}
