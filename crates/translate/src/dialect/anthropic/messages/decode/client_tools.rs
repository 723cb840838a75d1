//! Anthropic's client tools: the client runs them, but a request names only their type and date,
//! because Anthropic's models have learnt their input by heart. Other models need it spelled out.
//!
//! Inputs as in Anthropic's tool documentation and, for `memory`, in the command types of its SDK.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::wire;
use crate::chat_request::{Tool, ToolInput};
use crate::dialect::request::forms::Count;

/// The tool of this dated type, such as `bash_20250124`; none if it is no client tool.
pub(super) fn of(kind: &str, tool: &wire::Tool) -> Option<Tool> {
    let (family, date) = kind.rsplit_once('_')?;
    let date: u32 = date.parse().ok()?;
    let (name, description, schema) = match family {
        "bash" => ("bash", BASH.to_owned(), bash()),
        "text_editor" if date < 20_250_429 => {
            ("str_replace_editor", editor_words(tool), editor(date))
        }
        "text_editor" => (
            "str_replace_based_edit_tool",
            editor_words(tool),
            editor(date),
        ),
        "memory" => ("memory", MEMORY.to_owned(), memory()),
        "computer" => ("computer", computer_words(tool), computer(tool, date)),
        _ => return None,
    };
    Some(Tool {
        name: tool.name.clone().unwrap_or_else(|| name.to_owned()),
        description: Some(description),
        input: ToolInput::Json(schema.into()),
        strict: tool.strict == Some(true),
    })
}

const BASH: &str = "Runs a command in a bash session that stays open between calls.";
const MEMORY: &str = "Reads and changes text files below /memories, which stay from one conversation to the next. View /memories before you begin.";

fn bash() -> Value {
    json!({
        "type": "object",
        "properties": {
            "command": {"type": "string", "description": "The command. Needed unless restart is true."},
            "restart": {"type": "boolean", "description": "true starts a new session instead."},
        },
    })
}

fn editor_words(tool: &wire::Tool) -> String {
    let mut words = "Views, creates and edits text files. old_str must stand in the file exactly once, white space included.".to_owned();
    if let Some(Count(most)) = tool.max_characters {
        let _ = write!(words, " At most {most} characters of a file are shown.");
    }
    words
}

/// The editor forgot `undo_edit` with Claude 4, and calls the text of `insert` `insert_text` since
/// July 2025.
fn editor(date: u32) -> Value {
    let mut commands = vec!["view", "create", "str_replace", "insert"];
    if date < 20_250_429 {
        commands.push("undo_edit");
    }
    let mut schema = json!({
        "type": "object",
        "properties": {
            "command": {"type": "string", "enum": commands},
            "path": {"type": "string", "description": "Absolute path of the file or directory."},
            "file_text": {"type": "string", "description": "create: the file's text."},
            "old_str": {"type": "string", "description": "str_replace: the text to be replaced."},
            "new_str": {"type": "string", "description": "str_replace: the new text."},
            "insert_line": {"type": "integer", "description": "insert: the line after which to insert, 0 for the beginning."},
            "view_range": {"type": "array", "items": {"type": "integer"}, "description": "view: first and last line; -1 is the end."},
        },
        "required": ["command", "path"],
    });
    let (field, about) = if date < 20_250_728 {
        ("new_str", "str_replace, insert: the new text.")
    } else {
        ("insert_text", "insert: the new text.")
    };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(
            field.to_owned(),
            json!({"type": "string", "description": about}),
        );
    }
    schema
}

fn memory() -> Value {
    json!({
        "type": "object",
        "properties": {
            "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert", "delete", "rename"]},
            "path": {"type": "string", "description": "All but rename: a path below /memories."},
            "view_range": {"type": "array", "items": {"type": "integer"}, "description": "view: first and last line."},
            "file_text": {"type": "string", "description": "create: the file's text."},
            "old_str": {"type": "string", "description": "str_replace: the text to be replaced."},
            "new_str": {"type": "string", "description": "str_replace: the new text."},
            "insert_line": {"type": "integer", "description": "insert: the line after which to insert."},
            "insert_text": {"type": "string", "description": "insert: the new text."},
            "old_path": {"type": "string", "description": "rename: the path it has."},
            "new_path": {"type": "string", "description": "rename: the path it gets."},
        },
        "required": ["command"],
    })
}

fn computer_words(tool: &wire::Tool) -> String {
    let mut words = "Uses mouse, keyboard and screen of a computer.".to_owned();
    if let (Some(Count(width)), Some(Count(height))) =
        (tool.display_width_px, tool.display_height_px)
    {
        let _ = write!(
            words,
            " The screen is {width} by {height} pixels; coordinates are [x, y] from its upper left corner."
        );
    }
    words
}

fn computer(tool: &wire::Tool, date: u32) -> Value {
    let mut actions = vec![
        "screenshot",
        "cursor_position",
        "key",
        "type",
        "mouse_move",
        "left_click",
        "left_click_drag",
        "right_click",
        "middle_click",
        "double_click",
    ];
    let mut properties = json!({
        "coordinate": {"type": "array", "items": {"type": "integer"}, "description": "[x, y] of mouse actions."},
        "text": {"type": "string", "description": "type: the text. key, hold_key: the keys, such as ctrl+s. Clicks: keys held down."},
    });
    if date >= 20_250_124 {
        actions.extend([
            "triple_click",
            "left_mouse_down",
            "left_mouse_up",
            "scroll",
            "hold_key",
            "wait",
        ]);
        extend(
            &mut properties,
            json!({
                "start_coordinate": {"type": "array", "items": {"type": "integer"}, "description": "left_click_drag: where it begins."},
                "scroll_direction": {"type": "string", "enum": ["up", "down", "left", "right"]},
                "scroll_amount": {"type": "integer", "description": "scroll: how many notches."},
                "duration": {"type": "number", "description": "wait, hold_key: seconds."},
            }),
        );
    }
    if date >= 20_251_124 && tool.enable_zoom == Some(true) {
        actions.push("zoom");
        extend(
            &mut properties,
            json!({
                "region": {"type": "array", "items": {"type": "integer"}, "description": "zoom: [x0, y0, x1, y1]."},
            }),
        );
    }
    let mut all = json!({"action": {"type": "string", "enum": actions}});
    extend(&mut all, properties);
    json!({"type": "object", "properties": all, "required": ["action"]})
}

fn extend(properties: &mut Value, more: Value) {
    if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
        properties.extend(more);
    }
}
