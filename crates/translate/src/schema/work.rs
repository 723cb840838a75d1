//! How much work a schema asks for, told before it is done.
//!
//! A validator follows references as deep as they lead and tries every alternative of a union. With
//! definitions that refer to each other, a kilobyte of schema can ask for more stack, time or memory
//! than there is. Here each part of the schema meets each part of the value once, and is counted.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::validator::size;
use crate::bounds::SCHEMA_PARTS_MAX;

/// Parts that may bear one name.
const SAME_ANCHORS_MAX: usize = 16;

/// The most parts of a schema that stand in or refer to each other in a row.
const MAX_HEIGHT: usize = 256;
/// The most parts of a schema that are followed in a row while a value is checked.
const MAX_DEPTH: usize = 1024;
/// The most pairs of a part of the schema and a part of the value that are looked at.
const MAX_PAIRS: usize = 1 << 20;

/// Keywords that refer to another part.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// Keywords with one schema, a list, or schemas by name, for the same value.
const SAME: [&str; 9] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
];
/// The same, for what an object or an array holds.
const WITHIN: [&str; 9] = [
    "additionalProperties",
    "unevaluatedProperties",
    "patternProperties",
    "propertyNames",
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
];

/// A schema whose references can be followed.
#[derive(Debug)]
pub(super) struct Parts<'s> {
    root: &'s Value,
    /// Parts by their anchors. A name may stand twice: in a part that is no schema, or because a
    /// reference finds its target only while a value is checked.
    anchors: HashMap<&'s str, Vec<&'s Value>>,
    shape: Shape,
}

/// What is known of a schema once it was walked through.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// The values that it is made of, at any depth.
    values: u64,
    /// Whether parts have names of their own.
    has_anchors: bool,
    /// Whether parts refer to others. If none does, the schema is a tree: each part meets each part of
    /// a value at most once.
    has_references: bool,
}

impl<'s> Parts<'s> {
    /// The parts of a schema that takes no more stack than there is.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(super) fn of(root: &'s Value) -> Result<Self, &'static str> {
        let mut parts = Self {
            root,
            anchors: HashMap::new(),
            shape: Shape::default(),
        };
        let mut tally = Tally::of(root);
        parts.note(root, true, &mut tally)?;
        match parts.height(root, 0, &mut HashMap::new()) {
            Some(_) => Ok(parts),
            None => Err("its references lead too deep"),
        }
    }

    /// The parts of a schema that [`Self::of`] took before. Without anchors there is nothing to note.
    pub(super) fn known(root: &'s Value, shape: Shape) -> Self {
        let mut parts = Self {
            root,
            anchors: HashMap::new(),
            shape,
        };
        if shape.has_anchors {
            // It was found good: nothing stops it before all are noted.
            let _ = parts.note(root, true, &mut Tally::of(root));
            parts.shape = shape;
        }
        parts
    }

    /// What need not be found out again.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// Notes anchors, and counts what takes time to be compiled. Refuses a part that begins a schema
    /// of its own, in which references mean others.
    fn note(
        &mut self,
        part: &'s Value,
        is_root: bool,
        tally: &mut Tally,
    ) -> Result<(), &'static str> {
        self.shape.values += 1;
        match part {
            Value::Object(map) => {
                if !is_root && map.get(tally.id).is_some_and(Value::is_string) {
                    return Err("an \"$id\" below the root is not supported");
                }
                tally.part()?;
                self.shape.has_references |= REFERENCES.iter().any(|key| map.contains_key(*key));
                let anchors = ["$anchor", "$dynamicAnchor"];
                for anchor in anchors.iter().filter_map(|key| map.get(*key)?.as_str()) {
                    let named = self.anchors.entry(anchor).or_default();
                    if named.len() == SAME_ANCHORS_MAX {
                        return Err("one anchor is given too often");
                    }
                    named.push(part);
                    self.shape.has_anchors = true;
                }
                let mut values = map.values();
                values.try_for_each(|value| self.note(value, false, tally))
            }
            Value::Array(items) => {
                let mut items = items.iter();
                items.try_for_each(|item| self.note(item, false, tally))
            }
            _ => Ok(()),
        }
    }

    /// What a part may refer to, of what stands in the same schema.
    fn targets(&self, map: &Map<String, Value>) -> impl Iterator<Item = &'s Value> {
        let references = REFERENCES
            .into_iter()
            .filter_map(|key| map.get(key)?.as_str());
        references.flat_map(|reference| {
            let (_, fragment) = reference.split_once('#').unwrap_or((reference, ""));
            let fragment = percent_decode_str(fragment).decode_utf8_lossy();
            let anchored = self.anchors.get(&*fragment).into_iter().flatten();
            let pointed = self.root.pointer(&fragment);
            pointed.into_iter().chain(anchored.copied())
        })
    }

    /// How many parts follow each other from here; none if it is more than can be followed.
    fn height(
        &self,
        part: &Value,
        depth: usize,
        known: &mut HashMap<*const Value, usize>,
    ) -> Option<usize> {
        let within: Vec<&Value> = match part {
            Value::Object(map) => map.values().chain(self.targets(map)).collect(),
            Value::Array(items) => items.iter().collect(),
            _ => return Some(0),
        };
        let this = std::ptr::from_ref(part);
        if let Some(height) = known.get(&this) {
            return Some(*height);
        }
        if depth == MAX_HEIGHT {
            return None;
        }
        // What comes back to itself is not followed again.
        known.insert(this, 0);
        let mut height = 0;
        for part in within {
            height = height.max(self.height(part, depth + 1, known)? + 1);
        }
        known.insert(this, height);
        (height <= MAX_HEIGHT).then_some(height)
    }

    /// How many steps a check of the value takes; none if it is more than `most`, or too deep.
    pub(super) fn steps(&self, value: &Value, most: u64) -> Option<u64> {
        if let Some(bound) = self.bound(size(value) as u64, most) {
            return Some(bound);
        }
        self.count(most, None).steps(self.root, value, MAX_DEPTH)
    }

    /// What a schema without references asks for at most, where that is not too much anyway.
    fn bound(&self, of_value: u64, most: u64) -> Option<u64> {
        let bound = self.shape.values.saturating_mul(of_value);
        (!self.shape.has_references && bound <= most).then_some(bound)
    }

    /// How much memory the value takes if it is copied for each part of the schema that it meets, in
    /// bytes, roughly; none if it is more than `most`.
    pub(super) fn bytes(&self, value: &Value, most: u64) -> Option<u64> {
        let mut sizes = HashMap::new();
        let whole = measure(value, &mut sizes);
        if let Some(bound) = self.bound(whole, most) {
            return Some(bound);
        }
        self.count(most, Some(sizes))
            .steps(self.root, value, MAX_DEPTH)
    }

    fn count(&self, most: u64, sizes: Option<HashMap<*const Value, u64>>) -> Count<'_, 's> {
        Count {
            parts: self,
            most,
            pairs: HashMap::new(),
            sizes,
        }
    }
}

/// What of a schema takes time to be compiled.
struct Tally {
    parts: usize,
    /// The keyword that gives a part a base of its own.
    id: &'static str,
}

impl Tally {
    fn of(root: &Value) -> Self {
        let dialect = root.get("$schema").and_then(Value::as_str);
        let is_draft_4 = dialect.is_some_and(|dialect| dialect.contains("draft-04"));
        Self {
            parts: 0,
            id: if is_draft_4 { "id" } else { "$id" },
        }
    }

    fn part(&mut self) -> Result<(), &'static str> {
        self.parts += 1;
        if self.parts > SCHEMA_PARTS_MAX {
            return Err("it has too many parts");
        }
        Ok(())
    }
}

struct Count<'p, 's> {
    parts: &'p Parts<'s>,
    most: u64,
    pairs: HashMap<(*const Value, *const Value), u64>,
    /// What each part of the value counts; none where each counts one.
    sizes: Option<HashMap<*const Value, u64>>,
}

impl<'s> Count<'_, 's> {
    fn weight(&self, value: &Value) -> u64 {
        let sizes = self.sizes.as_ref();
        let size = sizes.and_then(|sizes| sizes.get(&std::ptr::from_ref(value)));
        size.copied().unwrap_or(1)
    }

    fn steps(&mut self, schema: &'s Value, value: &Value, left: usize) -> Option<u64> {
        let weight = self.weight(value);
        let Some(map) = schema.as_object() else {
            return Some(weight);
        };
        let pair = (std::ptr::from_ref(schema), std::ptr::from_ref(value));
        if let Some(known) = self.pairs.get(&pair) {
            return Some(*known);
        }
        if left == 0 || self.pairs.len() >= MAX_PAIRS {
            return None;
        }
        // What comes back to itself with the same value ends there.
        self.pairs.insert(pair, weight);
        let mut sum = weight;
        for part in schemas(map, &SAME).chain(self.parts.targets(map)) {
            sum = self.add(sum, part, value, left)?;
        }
        let each: Vec<&Value> = schemas(map, &WITHIN).collect();
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let own = map.get("properties").and_then(|p| p.get(name));
                    for part in own.into_iter().chain(each.iter().copied()) {
                        sum = self.add(sum, part, member, left)?;
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    for part in &each {
                        sum = self.add(sum, part, item, left)?;
                    }
                }
            }
            _ => {}
        }
        self.pairs.insert(pair, sum);
        Some(sum)
    }

    fn add(&mut self, sum: u64, part: &'s Value, value: &Value, left: usize) -> Option<u64> {
        let sum = sum.saturating_add(self.steps(part, value, left - 1)?);
        (sum <= self.most).then_some(sum)
    }
}

/// What each part of a value takes in memory, in bytes, roughly.
fn measure(value: &Value, sizes: &mut HashMap<*const Value, u64>) -> u64 {
    let within = match value {
        Value::String(text) => text.len() as u64,
        Value::Array(items) => items.iter().map(|item| measure(item, sizes)).sum(),
        Value::Object(members) => {
            let within = members
                .iter()
                .map(|(name, member)| name.len() as u64 + measure(member, sizes));
            within.sum()
        }
        _ => 0,
    };
    let size = size_of::<Value>() as u64 + within;
    sizes.insert(std::ptr::from_ref(value), size);
    size
}

/// The schemas behind these keywords: one, a list, or some by name.
fn schemas<'s>(
    map: &'s Map<String, Value>,
    keywords: &'static [&'static str],
) -> impl Iterator<Item = &'s Value> {
    keywords
        .iter()
        .filter_map(|key| Some((*key, map.get(*key)?)))
        .flat_map(|(key, value)| {
            let by_name = matches!(
                key,
                "patternProperties" | "dependentSchemas" | "dependencies"
            );
            let found: Vec<&Value> = match value {
                Value::Array(list) => list.iter().collect(),
                Value::Object(named) if by_name => named.values().collect(),
                one => vec![one],
            };
            found
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chain(length: usize, link: impl Fn(String) -> Value) -> Value {
        let mut defs: Map<String, Value> = (0..length)
            .map(|n| (format!("d{n}"), link(format!("#/$defs/d{}", n + 1))))
            .collect();
        defs.insert(format!("d{length}"), json!({"type": "string"}));
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs})
    }

    #[test]
    fn references_that_lead_too_deep_are_refused() {
        let plain = |to| json!({"$ref": to});
        assert!(Parts::of(&chain(40, plain)).is_ok());
        assert!(Parts::of(&chain(50_000, plain)).is_err());
        assert!(Parts::of(&chain(50_000, |to| json!({"allOf": [{"$ref": to}]}))).is_err());
        let backwards = |schema: Value| {
            let defs = schema["$defs"].as_object().unwrap().clone();
            let defs: Map<String, Value> = defs.into_iter().rev().collect();
            json!({"$defs": defs, "$ref": "#/$defs/d0"})
        };
        assert!(Parts::of(&backwards(chain(50_000, plain))).is_err());
        assert!(Parts::of(&json!({"properties": {"a": {"$id": "b"}}})).is_err());
    }

    #[test]
    fn alternatives_that_multiply_are_counted_without_being_tried() {
        let union = |to: String| json!({"anyOf": vec![json!({"$ref": to}); 10]});
        let schema = chain(9, union);
        let parts = Parts::of(&schema).unwrap();
        assert_eq!(parts.steps(&json!({"a": 1}), 1_000_000), None);
        assert!(parts.steps(&json!({"b": 1}), 10).is_some());
    }

    #[test]
    fn every_way_to_refer_to_a_part_is_counted() {
        type Link = fn(u32) -> Value;
        let step =
            |n: u32, link: &Value| json!({"anyOf": vec![link; 10], "$anchor": format!("a{n}")});
        let ways: [(&str, Link); 4] = [
            ("a pointer", |n| json!({"$ref": format!("#/$defs/d{n}")})),
            (
                "an escaped one",
                |n| json!({"$ref": format!("#/$defs/%64{n}")}),
            ),
            ("an anchor", |n| json!({"$ref": format!("#a{n}")})),
            (
                "extra_params another",
                |n| json!({"$ref": "#/$defs/d9", "$dynamicRef": format!("#/$defs/d{n}")}),
            ),
        ];
        for (way, link) in ways {
            let mut defs: Map<String, Value> = (0..9)
                .map(|n| (format!("d{n}"), step(n, &link(n + 1))))
                .collect();
            defs.insert("d9".to_owned(), json!({"type": "string", "$anchor": "a9"}));
            let decoys: Vec<Value> = (0..9)
                .map(|n| json!({"$anchor": format!("a{n}")}))
                .collect();
            let schema = json!({"enum": decoys, "$ref": "#/$defs/d0", "$defs": defs});
            let parts = Parts::of(&schema).unwrap();
            assert_eq!(parts.steps(&json!(1), 1_000_000), None, "{way}");
        }
        let draft_4 = json!({"$schema": "http://json-schema.org/draft-04/schema#",
            "properties": {"a": {"id": "http://example.org/a"}}});
        assert!(Parts::of(&draft_4).is_err());
    }

    #[test]
    fn what_refers_to_itself_grows_with_the_value() {
        let expression = json!({"$ref": "#/$defs/e", "$defs": {"e": {"anyOf": [
            {"type": "array", "items": {"$ref": "#/$defs/e"}},
            {"type": "array", "items": {"$ref": "#/$defs/e"}},
            {"type": "integer"}]}}});
        let parts = Parts::of(&expression).unwrap();
        let nested = |depth| (0..depth).fold(json!(1), |value, _| json!([value]));
        assert!(parts.steps(&nested(8), 10_000).is_some());
        assert_eq!(parts.steps(&nested(40), 1_000_000), None);
        let endless = json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]});
        assert!(Parts::of(&endless).unwrap().steps(&json!(1), 10).is_some());
    }
}
