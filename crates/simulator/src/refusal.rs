//! The bodies by which 1min.ai refuses. Texts and shapes are those of the fixtures `err-*`.

use serde_json::{Value, json};

use crate::fault::{Fault, FaultKind, Faults};

/// A refusal: an HTTP status and its body, in one of upstream's many shapes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
    body: Box<Shape>,
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// `{errorCode, message, context?, details?}`: what live answers look like. The details are
    /// JSON within a string.
    Flat {
        code: String,
        message: String,
        context: Option<Value>,
        details: Option<Value>,
    },
    /// `{success: false, error: {code, message, details?}}`: what the documentation shows.
    Nested {
        code: String,
        message: String,
        details: Option<Value>,
    },
    MessageOnly(String),
    Text(&'static str),
    Html(String),
    /// As S3 refuses.
    Xml {
        code: &'static str,
        message: &'static str,
    },
}

impl Refusal {
    pub(crate) fn flat(status: u16, code: &str, message: impl Into<String>) -> Self {
        let body = Box::new(Shape::Flat {
            code: code.into(),
            message: message.into(),
            context: None,
            details: None,
        });
        Self {
            status,
            retry_after: None,
            body,
        }
    }

    fn nested(status: u16, code: &str, message: &str) -> Self {
        let body = Box::new(Shape::Nested {
            code: code.into(),
            message: message.into(),
            details: None,
        });
        Self {
            status,
            retry_after: None,
            body,
        }
    }

    fn text(status: u16, text: &'static str) -> Self {
        Self {
            status,
            retry_after: None,
            body: Box::new(Shape::Text(text)),
        }
    }

    fn html(status: u16, title: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html><html><head><title>{status}: {title}</title></head><body>error code: {status}</body></html>"
        );
        Self {
            status,
            retry_after: None,
            body: Box::new(Shape::Html(page)),
        }
    }

    fn with_details(mut self, list: Value) -> Self {
        if let Shape::Flat { details, .. } | Shape::Nested { details, .. } = self.body.as_mut() {
            *details = Some(list);
        }
        self
    }

    pub(crate) fn unknown_key() -> Self {
        Self::flat(401, "HTTP_EXCEPTION", "Invalid API Key")
    }

    pub(crate) fn key_inactive() -> Self {
        let text = "API Key is not active. Please contact your team administrator to be unblocked";
        Self::flat(401, "HTTP_EXCEPTION", text)
    }

    pub(crate) fn key_deleted() -> Self {
        Self::flat(401, "HTTP_EXCEPTION", "API Key has been deleted")
    }

    /// What the request is estimated to cost is more than is left.
    pub(crate) fn too_few_credits(required: u64, left: u64) -> Self {
        let text = format!(
            "The feature requires {required} credits, but the Test Office team only has {left} credits"
        );
        Self::flat(406, "INSUFFICIENT_CREDITS", text)
    }

    pub(crate) fn insufficient_credits() -> Self {
        let text =
            "The feature requires 4800 credits, but the Test Office team only has 46 credits";
        Self::flat(406, "INSUFFICIENT_CREDITS", text)
    }

    pub(crate) fn unsupported_model(model: &str) -> Self {
        Self::flat(
            400,
            "UNSUPPORTED_MODEL",
            format!("Model {model} is not supported"),
        )
    }

    pub(crate) fn unsupported_model_for(model: &str, feature: &str) -> Self {
        let message = format!("Model {model} is not supported for feature {feature}");
        Self::flat(400, "UNSUPPORTED_MODEL", message)
    }

    /// Fields that the model needs are absent.
    pub(crate) fn missing_fields(model: &str, feature: &str, fields: &[&str]) -> Self {
        let listed = fields.join(", ");
        let message = format!(
            "Missing required fields for {model} model: {listed}. Please provide all required parameters."
        );
        let explain = |field: &&str| json!({"field": field, "message": format!("Field '{field}' is required for {model} model with type {feature}")});
        let details: Vec<Value> = fields.iter().map(explain).collect();
        Self::flat(400, "MISSING_REQUIRED_FIELDS", message).with_details(details.into())
    }

    /// A provider refused a value: the canned line, and the provider's answer in the details.
    pub(crate) fn provider(service: &str, data: &Value) -> Self {
        Self::busy(service).with_details(json!({"response": {"status": 400, "data": data}}))
    }

    /// How Qwen's images refuse a size, which leaves out most of the allowed ones.
    pub(crate) fn qwen_size() -> Self {
        Self::busy("alibaba").with_details(json!({
            "response": {"status": 400, "data": {
                "request_id": "00000000",
                "code": "InvalidParameter",
                "message": "The size does not match the allowed size 1664*928,1472*1104.",
            }},
            "request": {"method": "post", "url": "/provider/path"},
        }))
    }

    /// How the storage behind links refuses.
    pub(crate) fn storage(status: u16, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            retry_after: None,
            body: Box::new(Shape::Xml { code, message }),
        }
    }

    pub(crate) fn unsupported_feature(kind: &str) -> Self {
        Self::flat(
            400,
            "UNKNOWN_ERROR",
            format!("Unsupported feature type: {kind}"),
        )
    }

    pub(crate) fn unsupported_file_type() -> Self {
        Self::flat(
            400,
            "UNSUPPORTED_FILE_TYPE",
            "This file type isn't supported",
        )
    }

    /// A required field of the body is absent.
    pub(crate) fn body_validation(field: &str) -> Self {
        let details = json!([{"field": field, "message": format!("{field} is required")}]);
        Self::flat(
            400,
            "REQUEST_BODY_VALIDATION_FAILED",
            "Request body validation failed",
        )
        .with_details(details)
    }

    pub(crate) fn invalid_request() -> Self {
        Self::nested(
            400,
            "INVALID_REQUEST",
            "Missing required parameters or invalid format",
        )
    }

    /// The prompt object is wrong: nested 422 as documented, or flat 400 as live sisters are.
    pub(crate) fn prompt_object(flat: bool) -> Self {
        let details = json!([{"field": "prompt", "message": "prompt must be a string"}]);
        let (code, message) = ("PROMPT_OBJECT_VALIDATION_FAILED", "Invalid prompt object");
        let bare = if flat {
            Self::flat(400, code, message)
        } else {
            Self::nested(422, code, message)
        };
        bare.with_details(details)
    }

    /// A provider behind 1min.ai is overloaded.
    pub(crate) fn provider_busy() -> Self {
        Self::busy("openai").with_details(
            json!({"response": {"status": 503, "data": {"message": "The server is overloaded"}}}),
        )
    }

    /// The canned line for whatever a provider says.
    fn busy(service: &str) -> Self {
        let message = format!(
            "The {service} service is busy or has a temporary issue. Please try again shortly."
        );
        let mut refusal = Self::flat(400, "EXTERNAL_API_RESPONSE_WITH_ERROR", message);
        if let Shape::Flat { context, .. } = refusal.body.as_mut() {
            *context = Some(json!({"service": service}));
        }
        refusal
    }

    pub(crate) fn not_found(method: &http::Method, path: &str) -> Self {
        Self::flat(404, "HTTP_EXCEPTION", format!("Cannot {method} {path}"))
    }

    pub(crate) fn too_large() -> Self {
        Self::html(413, "Payload too large")
    }

    /// A test asked for something that does not exist. Not of upstream's making.
    pub(crate) fn bad_directive(why: &str) -> Self {
        Self::flat(400, "SIMULATOR_DIRECTIVE", why)
    }

    /// The refusal of a fault, if it is one.
    pub(crate) fn of_fault(fault: &Fault) -> Option<Self> {
        let mut refusal = match fault.kind {
            FaultKind::InsufficientCredits => Self::insufficient_credits(),
            FaultKind::RateLimited => Self::nested(429, "RATE_LIMITED", "Too many requests"),
            FaultKind::Cloudflare1010 => Self::text(403, "error code: 1010"),
            FaultKind::Cloudflare1015 => Self::text(429, "error code: 1015"),
            FaultKind::Http500 | FaultKind::Http500Once => {
                Self::flat(500, "UNKNOWN_ERROR", "Internal server error")
            }
            FaultKind::Http502 => Self::html(502, "Bad gateway"),
            FaultKind::Http503 => Self::html(503, "Service temporarily unavailable"),
            FaultKind::Http504 => Self::html(504, "Gateway time-out"),
            FaultKind::Http522 => Self::html(522, "Connection timed out"),
            FaultKind::HttpError => Self::ordered(fault),
            FaultKind::MessageOnly => Self::message_only(fault),
            FaultKind::Unauthorized => {
                Self::nested(401, "UNAUTHORIZED", "Invalid or missing API key")
            }
            _ => return None,
        };
        refusal.retry_after = fault.retry_after;
        Some(refusal)
    }

    fn ordered(fault: &Fault) -> Self {
        let code = fault.code.as_deref().unwrap_or("UNKNOWN_ERROR");
        let message = fault.message.as_deref().unwrap_or("Internal server error");
        Self::flat(fault.status.unwrap_or(500), code, message)
    }

    fn message_only(fault: &Fault) -> Self {
        let canned = "Invalid model no-such-model for AI feature CHAT_WITH_AI!";
        let message = fault.message.as_deref().unwrap_or(canned).to_owned();
        let body = Box::new(Shape::MessageOnly(message));
        Self {
            status: fault.status.unwrap_or(400),
            retry_after: None,
            body,
        }
    }

    /// The text alone, as an error event carries it.
    pub(crate) fn message(&self) -> &str {
        match self.body.as_ref() {
            Shape::Flat { message, .. }
            | Shape::Nested { message, .. }
            | Shape::MessageOnly(message) => message,
            Shape::Text(text) => text,
            Shape::Html(page) => page,
            Shape::Xml { message, .. } => message,
        }
    }

    /// Content type and body.
    pub(crate) fn render(self, faults: &Faults) -> (&'static str, String) {
        const JSON: &str = "application/json; charset=utf-8";
        match *self.body {
            Shape::Flat {
                code,
                message,
                details,
                ..
            } if faults.has(FaultKind::NestedErrors) => {
                (JSON, nested_body(&code, &message, details.as_ref()))
            }
            Shape::Flat {
                code,
                message,
                context,
                details,
            } => (JSON, flat_body(&code, &message, context, details.as_ref())),
            Shape::Nested {
                code,
                message,
                details,
            } => (JSON, nested_body(&code, &message, details.as_ref())),
            Shape::MessageOnly(message) => (JSON, json!({"message": message}).to_string()),
            Shape::Text(text) => ("text/plain; charset=UTF-8", text.to_owned()),
            Shape::Html(page) => ("text/html; charset=UTF-8", page),
            Shape::Xml { code, message } => ("application/xml", xml(code, message)),
        }
    }
}

fn xml(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>SIMULATED</RequestId></Error>"
    )
}

fn flat_body(code: &str, message: &str, context: Option<Value>, details: Option<&Value>) -> String {
    let mut body = json!({"errorCode": code, "message": message});
    if let Some(fields) = body.as_object_mut() {
        fields.extend(context.map(|context| ("context".to_owned(), context)));
        fields.extend(details.map(|details| ("details".to_owned(), details.to_string().into())));
    }
    body.to_string()
}

fn nested_body(code: &str, message: &str, details: Option<&Value>) -> String {
    let mut error = json!({"code": code, "message": message});
    if let Some(fields) = error.as_object_mut() {
        fields.extend(details.map(|details| ("details".to_owned(), details.clone())));
    }
    json!({"success": false, "error": error}).to_string()
}
