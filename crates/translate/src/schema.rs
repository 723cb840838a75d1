//! Values against JSON Schemas: what fits, what can be made to fit without losing anything, and
//! what is wrong, with paths.

mod definition;
mod fit;
mod pattern;
mod pattern_budget;
mod pattern_work;
mod patterns;
mod validator;
mod work;

use jsonschema::{PatternCache, Validator};
use serde_json::Value;

use fit::{Root, adapt, ordered, unwrap};
use work::{Parts, Shape};

pub use definition::Definition;
pub use pattern_budget::PatternBudget;

use crate::quote::quote;

/// The most errors that are told: a model needs a few, not all.
const MAX_ERRORS: usize = 8;
/// The most bytes that are told of one.
const MAX_ERROR: usize = 500;
/// The most steps that a value's check may take.
const MAX_STEPS: u64 = 4_000_000;
/// The most memory that finding out what is wrong may take, in bytes: each error of each alternative
/// holds a copy of the value that it is about.
const MAX_BYTES_OF_ERRORS: u64 = 16_000_000;

/// One schema, compiled.
#[derive(Debug)]
pub struct Schema {
    root: Value,
    shape: Shape,
    validator: Validator,
    /// Its patterns, compiled, for parts of it that are compiled by themselves.
    patterns: PatternCache,
    leaves_out_patterns: bool,
}

impl Schema {
    /// Compiles a schema, within what its request has left for patterns. References outside of it
    /// are never fetched.
    pub fn compile(schema: &Value, patterns: &PatternBudget) -> Result<Self, String> {
        let shape = Parts::of(schema)?.shape();
        let (root, leaves_out_patterns) =
            patterns::readable(schema, patterns).unwrap_or_else(|| (schema.clone(), false));
        let validator = validator::build(&root, patterns.compiled()).map_err(|error| {
            let (what, place) = (error.to_string(), error.instance_path().to_string());
            format!("{} (at {})", quote(&what), quote(&place))
        })?;
        Ok(Self {
            root,
            shape,
            validator,
            patterns: patterns.compiled().clone(),
            leaves_out_patterns,
        })
    }

    /// Whether the schema has patterns that are not checked.
    #[must_use]
    pub fn leaves_out_patterns(&self) -> bool {
        self.leaves_out_patterns
    }

    /// Whether the value can be checked at all: a schema may ask for more work than can be done.
    #[must_use]
    pub fn can_check(&self, value: &Value) -> bool {
        self.parts().steps(value, MAX_STEPS).is_some()
    }

    /// The parts of the schema, which was found good when it was compiled.
    fn parts(&self) -> Parts<'_> {
        Parts::known(&self.root, self.shape)
    }

    /// Whether the value fits.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// What is wrong with the value, with its paths.
    #[must_use]
    pub fn errors(&self, value: &Value) -> Vec<String> {
        if self.parts().bytes(value, MAX_BYTES_OF_ERRORS).is_none() {
            return vec!["the value does not match the schema".to_owned()];
        }
        let errors = self.validator.iter_errors(value).take(MAX_ERRORS);
        errors
            .map(|error| {
                let path = error.instance_path().to_string();
                let path = if path.is_empty() {
                    "the value"
                } else {
                    path.as_str()
                };
                // Without the value: it may be the whole answer, and failures are logged.
                let mut what = error.masked().to_string();
                what.truncate(what.floor_char_boundary(MAX_ERROR));
                format!("{path}: {what}")
            })
            .collect()
    }

    /// The value in the schema's order of keys, made to fit without loss where it does not fit.
    ///
    /// # Errors
    /// What is wrong with it, with paths.
    pub fn fit(&self, value: &Value) -> Result<Value, Vec<String>> {
        self.fitted(value).ok_or_else(|| self.misfits(value))
    }

    /// The same, without a reason if it cannot be made to fit: finding that out costs more than the
    /// check does.
    #[must_use]
    pub fn fitted(&self, value: &Value) -> Option<Value> {
        if !self.can_check(value) {
            return None;
        }
        let root = Root::new(&self.root, &self.patterns);
        if let Some(adapted) = self.adapted(value, &root) {
            return Some(ordered(adapted, &root, &root, 0));
        }
        if self.fits(value) {
            return Some(ordered(value.clone(), &root, &root, 0));
        }
        let inner = unwrap(value).filter(|inner| self.can_check(inner))?;
        let inner = self.adapted(inner, &root)?;
        Some(ordered(inner, &root, &root, 0))
    }

    /// Why a value could not be made to fit.
    #[must_use]
    pub fn misfits(&self, value: &Value) -> Vec<String> {
        if self.can_check(value) {
            self.errors(value)
        } else {
            vec!["the value is too large to be checked against the schema".to_owned()]
        }
    }

    /// A value that can be checked, adapted, if it then fits. A text may have become an array or an
    /// object, which is more to check than the text was.
    fn adapted(&self, value: &Value, root: &Root<'_>) -> Option<Value> {
        let adapted = adapt(value.clone(), root, root, 0);
        let can_check = adapted == *value || self.can_check(&adapted);
        (can_check && self.fits(&adapted)).then_some(adapted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn compile(schema: &Value) -> Result<Schema, String> {
        Schema::compile(schema, &PatternBudget::default())
    }

    fn fit(schema: &Value, value: &Value) -> Result<Value, Vec<String>> {
        compile(schema).unwrap().fit(value)
    }

    fn object(properties: &Value, required: &Value) -> Value {
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }

    #[test]
    fn other_spellings_of_a_value_are_made_to_fit() {
        let schema = object(
            &json!({"n": {"type": "integer"}, "f": {"type": "number"}, "b": {"type": "boolean"}, "u": {"enum": ["celsius", "fahrenheit"]}, "o": {"type": ["string", "null"]}}),
            &json!(["n", "f", "b", "u", "o"]),
        );
        let value = json!({"x": 1, "u": " Celsius", "b": "true", "f": "2.5", "n": 36.0});
        assert_eq!(
            fit(&schema, &value).unwrap().to_string(),
            r#"{"n":36,"f":2.5,"b":true,"u":"celsius","o":null}"#
        );
    }

    #[test]
    fn one_wrapper_is_taken_off() {
        let schema = object(&json!({"a": {"type": "integer"}}), &json!(["a"]));
        assert_eq!(
            fit(&schema, &json!({"result": {"a": 1}})),
            Ok(json!({"a": 1}))
        );
        assert_eq!(fit(&schema, &json!([{"a": 1}])), Ok(json!({"a": 1})));
    }

    #[test]
    fn what_would_lose_something_is_an_error_with_its_path() {
        let schema = object(&json!({"a": {"type": "integer"}}), &json!(["a"]));
        let errors = fit(&schema, &json!({"a": 36.5})).unwrap_err();
        assert!(errors[0].starts_with("/a: "), "{errors:?}");
        assert!(fit(&schema, &json!({"a": "many"})).is_err());
    }

    #[test]
    fn numbers_stay_exact() {
        let value: Value = serde_json::from_str(r#"{"a": 9007199254740993}"#).unwrap();
        let schema = object(&json!({"a": {"type": "integer"}}), &json!(["a"]));
        assert_eq!(
            fit(&schema, &value).unwrap().to_string(),
            r#"{"a":9007199254740993}"#
        );
    }

    #[test]
    fn an_error_does_not_repeat_the_answer() {
        let schema = json!({"anyOf": [{"type": "integer"}, {"enum": ["a".repeat(5000)]}]});
        let errors = fit(&schema, &json!({"words": "of the user"})).unwrap_err();
        assert!(!errors[0].contains("user"), "{errors:?}");
        assert!(errors[0].len() < 600);
    }

    /// Ten alternatives, each of ten alternatives, and so on.
    fn endless() -> Schema {
        let mut defs: Map<String, Value> = (0..9)
            .map(|n| {
                let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
                (format!("d{n}"), json!({"anyOf": vec![next; 10]}))
            })
            .collect();
        defs.insert("d9".to_owned(), json!({"type": "string"}));
        let schema =
            json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs});
        compile(&schema).unwrap()
    }

    #[test]
    fn a_schema_that_asks_for_endless_work_is_not_checked_against() {
        let schema = endless();
        assert!(!schema.can_check(&json!({"a": 1})));
        assert!(schema.fit(&json!({"a": 1})).is_err());
        assert_eq!(schema.fit(&json!({"b": 1})), Ok(json!({"b": 1})));
    }

    #[test]
    fn a_value_that_is_unwrapped_or_read_from_text_is_no_way_round_that() {
        let schema = endless();
        for value in [json!([{"a": "fits"}]), json!(r#"{"a": "fits"}"#)] {
            assert!(schema.can_check(&value), "{value}");
            assert!(schema.fit(&value).is_err());
        }
    }

    #[test]
    fn what_is_wrong_with_a_large_value_under_many_alternatives_is_not_told_one_by_one() {
        let other = |n: usize| object(&json!({format!("a{n}"): {}}), &json!([format!("a{n}")]));
        let alternatives: Vec<Value> = (0..2000).map(other).collect();
        let schema = compile(&json!({ "anyOf": alternatives })).unwrap();
        let errors = schema.errors(&json!({"b": "word ".repeat(10_000)}));
        assert_eq!(errors, ["the value does not match the schema"]);
        assert!(schema.errors(&json!({"b": "word"}))[0].contains("anyOf"));
    }

    #[test]
    fn a_reference_outside_the_schema_is_not_fetched() {
        assert!(compile(&json!({"$ref": "http://127.0.0.1:1/schema.json"})).is_err());
        assert!(compile(&json!({"$ref": "file:///etc/passwd"})).is_err());
    }
}
