//! Does a text refuse in words? Asked only where another form was demanded and not given.

/// Longer texts explain, and may hold such words for other reasons.
const MAX_REFUSAL: usize = 1200;

/// How refusals begin, in lower case and with plain apostrophes.
const OPENINGS: &[&str] = &[
    "i can't",
    "i cannot",
    "i can not",
    "i'm sorry",
    "i am sorry",
    "sorry, ",
    "i'm unable",
    "i am unable",
    "i won't",
    "i will not",
    "i'm not able",
    "i am not able",
    "i must decline",
    "i have to decline",
    "i'm going to decline",
    "i need to decline",
    "i apologize",
    "my apologies",
    "unfortunately, i can",
    "unfortunately, i'm",
    "as an ai",
    "i do not feel comfortable",
    "i don't feel comfortable",
    "i'm not comfortable",
    "es tut mir leid",
    "tut mir leid",
    "ich kann ",
    "lo siento",
    "no puedo",
    "je suis désolé",
    "désolé",
    "je ne peux pas",
    "mi dispiace",
    "desculpe",
    "sinto muito",
    "извините",
    "к сожалению",
    "я не могу",
    "申し訳",
    "抱歉",
    "对不起",
    "我无法",
    "我不能",
    "죄송",
];
/// What a refusal says somewhere when it begins with an apology.
const DENIALS: &[&str] = &[
    "can't",
    "cannot",
    "can not",
    "unable",
    "won't",
    "will not",
    "not able",
    "decline",
    "not comfortable",
    "kann",
    "nicht",
    "no puedo",
    "ne peux",
    "non posso",
    "não posso",
    "не могу",
    "できません",
    "無法",
    "无法",
    "不能",
    "없",
];

/// Whether a short text refuses to do what was asked.
#[must_use]
pub fn refuses(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_REFUSAL || text.contains(['{', '[']) {
        return false;
    }
    let text = text.replace('’', "'").to_lowercase();
    OPENINGS.iter().any(|opening| text.starts_with(opening))
        && DENIALS.iter().any(|denial| text.contains(denial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_answers() {
        for text in [
            "I can't help with that.",
            "I’m sorry, but I cannot assist with this request.",
            "Es tut mir leid, dabei kann ich nicht helfen.",
            "抱歉，我无法提供这些内容。",
        ] {
            assert!(refuses(text), "{text}");
        }
        for text in [
            "",
            "Sure, here it is.",
            "{\"a\": \"I can't\"}",
            "Sorry, the capital is Paris.",
            "You can't multiply these.",
        ] {
            assert!(!refuses(text), "{text}");
        }
    }
}
