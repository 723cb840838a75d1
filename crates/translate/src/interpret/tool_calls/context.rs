//! Where in Markdown a reply stands: call-shaped text in a code example, a quotation or a quoted
//! line is shown, not called.

/// What surrounds the place that reading has come to.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact about a place in the text"
)]
#[derive(Debug)]
pub(super) struct Context {
    /// The fence that is open: its character and length.
    pub(super) fence: Option<(char, usize)>,
    /// The number of backticks of the inline code that is open.
    pub(super) span: Option<usize>,
    /// Whether a marker stood in a quotation, so that the paragraph shows one.
    pub(super) shown: bool,
    /// Whether only white space and `>` came on this line.
    pub(super) fresh: bool,
    /// Whether anything but white space came at all.
    pub(super) started: bool,
    indent: usize,
    quoted: bool,
    /// The last bytes before here.
    before: String,
}

/// HTML that encloses an example.
const EXAMPLE_TAGS: [&str; 6] = ["<code>", "<pre>", "<example>", "<xmp>", "<samp>", "<!--"];
/// How many bytes before a place are kept in mind.
const MEMORY: usize = 12;
/// Columns by which Markdown tells code.
const CODE_INDENT: usize = 4;

impl Default for Context {
    fn default() -> Self {
        Self {
            fence: None,
            span: None,
            shown: false,
            fresh: true,
            started: false,
            indent: 0,
            quoted: false,
            before: String::new(),
        }
    }
}

impl Context {
    /// Passes text.
    pub(super) fn pass(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => self.line_break(),
                ' ' if self.fresh => self.indent += 1,
                '\t' if self.fresh => self.indent += CODE_INDENT,
                '>' if self.fresh => self.quoted = true,
                c if c.is_whitespace() => {}
                _ => {
                    self.fresh = false;
                    self.started = true;
                }
            }
        }
        self.remember(text);
    }

    /// Passes text without a line break, not at a line's start.
    pub(super) fn pass_plain(&mut self, text: &str) {
        self.started = true;
        self.remember(text);
    }

    fn line_break(&mut self) {
        if self.fresh {
            self.shown = false;
        }
        if self.fresh || !self.shown {
            self.span = None;
        }
        self.fresh = true;
        self.indent = 0;
        self.quoted = false;
    }

    fn remember(&mut self, text: &str) {
        if text.len() >= MEMORY {
            self.before.clear();
        }
        let tail = text.ceil_char_boundary(text.len().saturating_sub(MEMORY));
        self.before.push_str(text.get(tail..).unwrap_or_default());
        let old = self
            .before
            .ceil_char_boundary(self.before.len().saturating_sub(MEMORY));
        self.before.drain(..old);
    }

    /// Whether text here is shown, whatever follows it.
    pub(super) fn masked(&self) -> bool {
        self.shown
            || self.span.is_some()
            || self.fence.is_some()
            || self.behind_quote()
            || self.behind_example_tag()
    }

    /// Whether text here is shown unless it ends the reply: an indented or a quoted line.
    pub(super) fn set_off(&self) -> bool {
        self.fresh && (self.quoted || self.indent >= CODE_INDENT)
    }

    /// Whether a fence can open here.
    pub(super) fn may_fence(&self) -> bool {
        self.fresh
    }

    fn behind_quote(&self) -> bool {
        let mut before = self.before.chars().rev();
        let opening = match before.next() {
            Some('“' | '«' | '‘' | '„') => return true,
            Some('"' | '\'') => before.next(),
            _ => return false,
        };
        opening.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '[' | ':' | '—'))
    }

    fn behind_example_tag(&self) -> bool {
        let before = self.before.trim_end();
        EXAMPLE_TAGS.iter().any(|tag| before.ends_with(tag))
    }
}
