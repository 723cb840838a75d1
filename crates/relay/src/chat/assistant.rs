//! An assistant as the model of a turn: its model answers, its instructions come first, its files
//! go along.

use translate::chat_request::{ChatRequest, Message, Part, Role};
use translate::failure::{Failure, Kind};

use crate::access::account_id::AccountId;
use crate::objects::assistants::{Assistant, Assistants};

/// Puts an assistant in the place of its id, if the turn names one.
///
/// # Errors
/// There is no such assistant, or the store does not answer.
pub async fn apply(
    assistants: &Assistants,
    owner: AccountId,
    chat: &mut ChatRequest,
) -> Result<(), Failure> {
    if !chat.model.starts_with("asst_") {
        return Ok(());
    }
    match Box::pin(assistants.resolve(owner, &chat.model)).await? {
        Some(assistant) => {
            merge(assistant, chat);
            Ok(())
        }
        None => Err(Failure::new(
            Kind::ModelNotFound,
            "There is no such assistant: POST /v1/assistants creates one.",
        )
        .with_param("model")
        .with_retry(false)),
    }
}

fn merge(assistant: Assistant, chat: &mut ChatRequest) {
    chat.model = assistant.model;
    let files = assistant.file_ids.into_iter().map(Part::uploaded);
    let last = chat.messages.iter_mut().rfind(|m| m.role == Role::User);
    if let Some(last) = last {
        last.parts.extend(files);
    }
    if let Some(instructions) = assistant.instructions.filter(|text| !text.is_empty()) {
        let message = Message {
            role: Role::System,
            name: None,
            parts: vec![Part::Text(instructions)],
        };
        chat.messages.insert(0, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assistant_lends_its_model_instructions_and_files() {
        let message = |text: &str| Message {
            role: Role::User,
            name: None,
            parts: vec![Part::Text(text.to_owned())],
        };
        let mut chat = ChatRequest {
            model: "asst_1".to_owned(),
            messages: vec![message("one"), message("two")],
            ..ChatRequest::default()
        };
        let assistant = Assistant {
            model: "gpt-4o-mini".to_owned(),
            instructions: Some("be brief".to_owned()),
            file_ids: vec!["file-1".to_owned()],
        };
        merge(assistant, &mut chat);
        assert_eq!(chat.model, "gpt-4o-mini");
        let parts: Vec<usize> = chat.messages.iter().map(|m| m.parts.len()).collect();
        assert_eq!(
            (chat.messages[0].role, parts),
            (Role::System, vec![1, 1, 2])
        );
    }
}
