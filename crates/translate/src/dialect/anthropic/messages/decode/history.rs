//! What the conversation itself says about the turn: which tools it has loaded, added or removed,
//! and what its last system message changes.

use std::collections::BTreeSet;

use super::super::wire::{Block, Content, Message, Tool, ToolChange};

/// What the conversation says about the turn.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Tools that it refers to or calls: those are offered even if their loading was deferred.
    pub(super) loaded: BTreeSet<String>,
    /// Tools that it took away.
    pub(super) removed: BTreeSet<String>,
    /// Tools that it brought along.
    pub(super) added: Vec<Tool>,
    /// The effort that its last system message with one asks for.
    pub(super) effort: Option<String>,
    /// Whether any document of it is to be cited.
    pub(super) wants_citations: bool,
}

impl History {
    /// Reads the conversation.
    pub(super) fn of(messages: &[Message]) -> Self {
        let mut history = Self::default();
        for message in messages {
            let effort = message
                .output_config
                .as_ref()
                .and_then(|config| config.effort.as_ref());
            if let Some(effort) = effort {
                history.effort = Some(effort.clone());
            }
            history.content(message.content.as_ref());
        }
        history
    }

    fn content(&mut self, content: Option<&Content>) {
        if let Some(Content::Blocks(blocks)) = content {
            for block in blocks {
                self.block(block);
            }
        }
    }

    fn block(&mut self, block: &Block) {
        self.wants_citations |= block.wants_citations();
        match block.kind.as_str() {
            "tool_use" => self.loaded.extend(block.name.clone()),
            "tool_reference" => self.loaded.extend(block.tool_name.clone()),
            "tool_result" => self.content(block.content.as_ref()),
            "tool_addition" => self.add(block.tool.as_deref()),
            "tool_removal" => self
                .removed
                .extend(block.tool.as_deref().and_then(|tool| tool.name.clone())),
            _ => {}
        }
    }

    fn add(&mut self, tool: Option<&ToolChange>) {
        let Some(tool) = tool else { return };
        let definition = tool.definition.as_ref();
        let name = definition
            .and_then(|tool| tool.name.as_ref())
            .or(tool.name.as_ref());
        if let Some(name) = name {
            self.removed.remove(name);
            self.loaded.insert(name.clone());
        }
        self.added.extend(definition.cloned());
    }
}
