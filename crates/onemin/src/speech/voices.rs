//! OpenAI's voices, and what stands for them at the other providers.
//!
//! Which voices 1min.ai lets through is documented for OpenAI only. The others are those that the
//! providers give to everybody; of them upstream's documents show Aria (ElevenLabs), Casual K
//! (Google) and Cherry, Ethan, Serena, Chelsie and Dylan (Qwen).

/// Whose voices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voices {
    /// OpenAI's older models, which lack two of the voices.
    OpenAi,
    /// ElevenLabs, by ids.
    ElevenLabs,
    /// Google.
    Google,
    /// Qwen.
    Qwen,
}

/// One of OpenAI's voices, and its like at each provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voice {
    /// OpenAI's name.
    pub name: &'static str,
    /// Among the voices of OpenAI's older models.
    pub openai: &'static str,
    /// ElevenLabs' id, and the name that goes with it.
    pub elevenlabs: (&'static str, &'static str),
    /// Google's name.
    pub google: &'static str,
    /// Qwen's name.
    pub qwen: &'static str,
}

const fn voice(
    name: &'static str,
    openai: &'static str,
    elevenlabs: (&'static str, &'static str),
    google: &'static str,
    qwen: &'static str,
) -> Voice {
    Voice {
        name,
        openai,
        elevenlabs,
        google,
        qwen,
    }
}

/// The table.
pub const TABLE: [Voice; 13] = [
    voice(
        "alloy",
        "alloy",
        ("9BWtsMINqrJLrRacOk9x", "Aria"),
        "en-US-Neural2-C",
        "Cherry",
    ),
    voice(
        "ash",
        "ash",
        ("TX3LPaxmHKxFdv7VOQHJ", "Liam"),
        "en-US-Neural2-A",
        "Ethan",
    ),
    voice(
        "ballad",
        "ballad",
        ("JBFqnCBsd6RMkjVDRZzb", "George"),
        "en-US-Neural2-I",
        "Ryan",
    ),
    voice(
        "cedar",
        "onyx",
        ("nPczCjzI2devNBz1zQrb", "Brian"),
        "en-US-Neural2-J",
        "Elias",
    ),
    voice(
        "coral",
        "coral",
        ("FGY2WhTYpPnrIDTdsKH5", "Laura"),
        "en-US-Neural2-F",
        "Serena",
    ),
    voice(
        "echo",
        "echo",
        ("cjVigY5qzO86Huf0OWal", "Eric"),
        "en-US-Neural2-D",
        "Dylan",
    ),
    voice(
        "fable",
        "fable",
        ("IKne3meq5aSn9XLyUdCD", "Charlie"),
        "en-GB-Neural2-B",
        "Nofish",
    ),
    voice(
        "marin",
        "nova",
        ("cgSgspJ2msm6clMCkdW9", "Jessica"),
        "en-US-Neural2-G",
        "Jennifer",
    ),
    voice(
        "nova",
        "nova",
        ("XrExE9yKIg1WjnnlVkGX", "Matilda"),
        "en-US-Neural2-H",
        "Chelsie",
    ),
    voice(
        "onyx",
        "onyx",
        ("onwK4e9ZLuTAKqWW03F9", "Daniel"),
        "en-US-Casual-K",
        "Marcus",
    ),
    voice(
        "sage",
        "sage",
        ("EXAVITQu4vr4xnSDxMaL", "Sarah"),
        "en-US-Neural2-E",
        "Katerina",
    ),
    voice(
        "shimmer",
        "shimmer",
        ("pFZP5JQG7iQjIQuC4Bku", "Lily"),
        "en-GB-Neural2-A",
        "Jada",
    ),
    voice(
        "verse",
        "verse",
        ("iP95p4xoKVk53GoZ742B", "Chris"),
        "en-GB-Neural2-D",
        "Roy",
    ),
];

/// A voice by the name that a request may give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// Whose it is; none if every model has it or its like.
    pub provider: Option<&'static str>,
}

/// All voices of the table: those that go with every model, then each provider's own.
pub fn named() -> impl Iterator<Item = Named> {
    type Of = fn(&Voice) -> &'static str;
    const PROVIDERS: [(Option<&str>, Of); 4] = [
        (None, |row| row.name),
        (Some("ElevenLabs"), |row| row.elevenlabs.1),
        (Some("Google"), |row| row.google),
        (Some("Qwen"), |row| row.qwen),
    ];
    PROVIDERS.into_iter().flat_map(|(provider, of)| {
        TABLE.iter().map(move |row| Named {
            name: of(row),
            provider,
        })
    })
}

/// The provider's voice for a name: its like for one of OpenAI's, the id for a name of ElevenLabs,
/// else the name itself.
#[must_use]
pub fn of(voices: Voices, name: &str) -> String {
    let openai = TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(name));
    let like = openai.map(|row| match voices {
        Voices::OpenAi => row.openai,
        Voices::ElevenLabs => row.elevenlabs.0,
        Voices::Google => row.google,
        Voices::Qwen => row.qwen,
    });
    let named = || {
        let mut rows = TABLE.iter().map(|row| row.elevenlabs);
        rows.find(|(_, of)| voices == Voices::ElevenLabs && of.eq_ignore_ascii_case(name))
            .map(|(id, _)| id)
    };
    like.or_else(named).unwrap_or(name).to_owned()
}

/// Whether a provider can have a voice of this name. Only the ids of ElevenLabs have a shape.
///
/// # Errors
/// What is allowed.
pub(super) fn check(voices: Voices, voice: &str) -> Result<(), String> {
    const SHORTEST_ID: usize = 15;
    let is_id = voice.len() >= SHORTEST_ID && voice.bytes().all(|b| b.is_ascii_alphanumeric());
    if voices != Voices::ElevenLabs || is_id {
        return Ok(());
    }
    let openai: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
    let names: Vec<&str> = TABLE.iter().map(|row| row.elevenlabs.1).collect();
    Err(format!(
        "one of {}, of {}, or an id of 20 letters and digits",
        openai.join(", "),
        names.join(", ")
    ))
}

/// The table as Markdown.
#[must_use]
pub fn markdown() -> String {
    let rows = TABLE.iter().map(|row| {
        let (id, name) = row.elevenlabs;
        format!(
            "| {} | {} | {name} (`{id}`) | {} | {} |\n",
            row.name, row.openai, row.google, row.qwen
        )
    });
    let rows: String = rows.collect();
    format!(
        "### Voices\n\n| OpenAI | tts-1 | ElevenLabs | Google | Qwen |\n|---|---|---|---|---|\n{rows}"
    )
}
