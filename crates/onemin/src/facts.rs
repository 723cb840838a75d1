//! What the client takes for true about 1min.ai without having seen it everywhere, by ids: a probe
//! asks 1min.ai about each, and what an answer shows to be otherwise is counted ([`crate::drift`]).

/// How sure a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    /// Captured from the live service by the author of another client.
    Live,
    /// In 1min.ai's own documents.
    Documented,
    /// Several public clients rely on it.
    Used,
    /// Nothing found.
    Guess,
}

impl Sure {
    /// The word of it in lists.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Documented => "doc",
            Self::Used => "used",
            Self::Guess => "guess",
        }
    }
}

/// How a fact can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// By requests that cost nothing.
    Free,
    /// By requests that cost a few credits.
    Paid,
    /// Only when an answer happens to show it.
    Never,
}

impl Probe {
    fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Paid => "paid",
            Self::Never => "only by chance",
        }
    }
}

macro_rules! facts {
    ($($(#[$of:meta])* $variant:ident $id:literal $sure:ident $probe:ident $claim:literal)*) => {
        /// A fact.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fact {
            $(
                #[doc = $claim]
                $variant,
            )*
        }

        impl Fact {
            /// Every fact, in the order of lists.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its id.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// What is taken for true.
            #[must_use]
            pub fn claim(self) -> &'static str {
                match self { $(Self::$variant => $claim,)* }
            }

            /// How sure it is.
            #[must_use]
            pub fn sure(self) -> Sure {
                match self { $(Self::$variant => Sure::$sure,)* }
            }

            /// How it can be seen.
            #[must_use]
            pub fn probe(self) -> Probe {
                match self { $(Self::$variant => Probe::$probe,)* }
            }
        }
    };
}

facts! {
    ModelsListed "models-listed" Live Free "`/models?feature=…` lists models by `modelId` and `status`, without a key"
    ModelsNeedFeature "models-need-feature" Live Free "`/models` without a feature is an empty list"
    ModelsPriced "models-priced" Live Free "active chat models have numbers `INPUT` and `OUTPUT` in `creditMetadata`"
    KeyRefused "key-refused" Live Free "a key that is not known gets status 401"
    ErrorsFlat "errors-flat" Live Free "errors are flat: `errorCode` and `message`"
    ResultUnknown "result-unknown" Documented Free "a result that is not known is 200 with `{\"aiRecord\":null}`"
    ModelRefused "model-refused" Live Free "an unknown model is 400 `UNSUPPORTED_MODEL`"
    StreamErrorInBand "stream-error-in-band" Live Free "an unknown model in a stream is 200 with one `error` event"
    PromptValidated "prompt-validated" Live Free "a chat without `prompt` is refused as `PROMPT_OBJECT_VALIDATION_FAILED`"
    FeatureRefused "feature-refused" Live Free "an unknown feature is 400 `UNKNOWN_ERROR`"
    AssetNames "asset-names" Live Free "an upload answers with `asset.key`, `fileContent.path` and `fileContent.uuid`"
    AssetExtension "asset-extension" Live Free "a file name without an extension is refused as `UNSUPPORTED_FILE_TYPE`"
    NoBalance "no-balance" Used Free "there is no `/api/profile` that tells an API key its balance"
    NoRateHeaders "no-rate-headers" Guess Free "no answer has headers about the rate limit"
    ChatTextPlace "chat-text-place" Live Paid "a chat's text is the one string of the list `resultObject`"
    ChatUsage "chat-usage" Live Paid "`metadata` has `inputToken`, `outputToken` and `credit`"
    ChatPriceRule "chat-price-rule" Live Paid "a chat costs 3 × `INPUT` a token in and 3 × `OUTPUT` a token out, each side rounded"
    ChatOverhead "chat-overhead" Live Paid "`inputToken` counts more than the prompt's own tokens"
    UsedCreditLags "used-credit-lags" Live Paid "`teamUser.usedCredit` of a record is from before its own request"
    FinishReason "finish-reason" Live Paid "`finishReason` of a complete answer is `stop`"
    EmptyPrompt "empty-prompt" Live Paid "an empty prompt is answered"
    StreamEvents "stream-events" Live Paid "a stream has events `content`, `result`, `done` and `error`, and no others"
    StreamUsage "stream-usage" Documented Paid "the record in a stream's `result` has `metadata`, too"
    AsyncProcessing "async-processing" Documented Paid "a job is `PROCESSING` until it is `SUCCESS`"
    MediaNoCredits "media-no-credits" Live Paid "records of files say nothing of credits"
    ResultUsedCredit "result-used-credit" Guess Paid "the result of a job shows the used credits from before the job"
    SignedUrl "signed-url" Used Paid "`temporaryUrl` is signed for 7 days"
    AssetHost "asset-host" Used Paid "files can be fetched from the asset host without a signature"
    RecordState "record-state" Documented Never "a record's `status` is `PROCESSING`, `SUCCESS`, `FAILURE` or `FAILED`"
    RateLimited "rate-limited" Guess Never "429 tells by `Retry-After` how long to wait"
    StreamErrorShape "stream-error-shape" Live Never "an `error` event holds `{\"error\": text}`"
    NoRepeatedText "no-repeated-text" Live Never "no delta of a stream repeats the text before it"
    BodyTypes "body-types" Live Never "the `content-type` of a chat's answer says what its body is: JSON or events"
    FileRecords "file-records" Live Never "a feature that makes files answers with a record that names them, not with their bytes"
    SoundText "sound-text" Guess Never "records are sound UTF-8, without halves of surrogate pairs and without a byte order mark"
    ContextTooLong "context-too-long" Guess Never "a prompt that is too long for its model is refused in words that say so"
}

impl Fact {
    /// The fact of an id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fact| fact.id() == id)
    }
}

/// The facts as a table in Markdown.
#[must_use]
pub fn markdown() -> String {
    let rows = Fact::ALL.iter().map(|fact| {
        let (id, claim) = (fact.id(), fact.claim());
        let (sure, probe) = (fact.sure().word(), fact.probe().word());
        format!("| `{id}` | {claim} | {sure} | {probe} |\n")
    });
    let head = "| Id | Fact | Sure | Probe |\n|---|---|---|---|\n".to_owned();
    head + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::Fact;

    #[test]
    fn ids_are_unique_and_lead_back() {
        for fact in Fact::ALL {
            assert_eq!(Fact::of_id(fact.id()), Some(*fact));
        }
    }
}
