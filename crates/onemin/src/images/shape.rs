//! The shape of an image: what was requested in pixels or as a ratio, in the fields that the model
//! has for it.

use serde_json::Value;

use crate::features::Invalid;
use crate::features::spec::{ModelSpec, Param, Pixels, Rule, size};

/// The pixels of an image of which only the ratio is given.
const DEFAULT_AREA_PIXELS: f64 = 1024.0 * 1024.0;

/// A ratio may be off by so much and is still called the same, as a fraction.
const SAME_RATIO_TOLERANCE: f64 = 0.01;

/// A ratio may be off by so much and is still better than none.
const NEAR_RATIO_TOLERANCE: f64 = 0.3;

/// A size that a model has only ratios for may be off by so much.
const SIZE_RATIO_TOLERANCE: f64 = 0.1;

/// What a shape comes down to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) values: Vec<(Param, Value)>,
    /// What was not met, or not exactly.
    pub(super) unmet: Vec<&'static str>,
}

type Sides = (u32, u32);

/// The shape for a model.
///
/// # Errors
/// A size or ratio that cannot be read, or that the model cannot do, and what it can.
pub(super) fn shape(
    spec: &ModelSpec,
    model: &str,
    requested_size: Option<&str>,
    requested_ratio: Option<&str>,
) -> Result<Shape, Invalid> {
    let mut shaping = Shaping {
        spec,
        model,
        shape: Shape::default(),
    };
    let size = requested_size.map(str::trim).filter(|text| is_said(text));
    let ratio = requested_ratio.map(str::trim).filter(|text| is_said(text));
    let by_size = match size {
        Some(text) => shaping.size(text, ratio.is_some())?,
        None => false,
    };
    match ratio {
        Some(_) if by_size => shaping.shape.unmet.push("aspect_ratio"),
        Some(text) => shaping.ratio(text)?,
        None => {}
    }
    Ok(shaping.shape)
}

fn is_said(text: &str) -> bool {
    !text.is_empty() && !text.eq_ignore_ascii_case("auto")
}

struct Shaping<'s> {
    spec: &'s ModelSpec,
    model: &'s str,
    shape: Shape,
}

impl Shaping<'_> {
    /// Meets a size. Says whether the shape is settled by it.
    fn size(&mut self, text: &str, has_ratio: bool) -> Result<bool, Invalid> {
        if let Some(field) = self.spec.field(Param::Resolution)
            && field.rule.check(&text.into()).is_ok()
        {
            self.set(Param::Resolution, text);
            return Ok(false);
        }
        let sides = size(text).ok_or_else(|| unreadable("size", "WIDTHxHEIGHT", "1024x1024"))?;
        if let Some(rule) = self.rule(Param::Size) {
            self.listed_size(sides, rule)?;
            return Ok(true);
        }
        if let Some(rule) = self.rule(Param::Width) {
            self.check_side(sides, rule)?;
            self.free_sides(sides);
            return Ok(true);
        }
        if self.rule(Param::Resolution).is_some() {
            self.class(sides);
        }
        let takes_ratio =
            [Param::AspectRatio, Param::AspectWidth].map(|param| self.rule(param).is_some());
        if has_ratio {
            if takes_ratio == [false; 2] && self.rule(Param::Resolution).is_none() {
                self.shape.unmet.push("size");
            }
            return Ok(false);
        }
        match (self.rule(Param::AspectRatio), self.rule(Param::AspectWidth)) {
            (Some(Rule::OneOf(list)), _) => {
                let (ratio, off) = nearest(list, sides);
                if off > SIZE_RATIO_TOLERANCE {
                    return Err(self.refused("size", &Rule::OneOf(list)));
                }
                self.set(Param::AspectRatio, ratio);
                self.note(off, "size");
            }
            (_, Some(_)) => self.small_ratio(sides, "size"),
            _ if self.rule(Param::Resolution).is_some() => self.note(off((1, 1), sides), "size"),
            _ => self.shape.unmet.push("size"),
        }
        Ok(true)
    }

    /// A size where the model has a list of sizes, or bounds for them.
    fn listed_size(&mut self, sides: Sides, rule: Rule) -> Result<(), Invalid> {
        match rule {
            Rule::OneOf(list) => {
                let exact = list.iter().find(|text| size(text) == Some(sides));
                let (like, off) = nearest(list, sides);
                if exact.is_none() && off > SAME_RATIO_TOLERANCE {
                    return Err(self.refused("size", &rule));
                }
                if exact.is_none() {
                    self.shape.unmet.push("size");
                }
                self.set(Param::Size, exact.unwrap_or(&like));
            }
            _ => self.set(Param::Size, &format!("{}x{}", sides.0, sides.1)),
        }
        Ok(())
    }

    /// A ratio.
    fn ratio(&mut self, text: &str) -> Result<(), Invalid> {
        if let Some(Rule::OneOf(list)) = self.rule(Param::AspectRatio) {
            return self.listed_ratio(text, list);
        }
        let sides = size(text).ok_or_else(|| unreadable("aspect_ratio", "WIDTH:HEIGHT", "16:9"))?;
        if self.rule(Param::AspectWidth).is_some() {
            self.small_ratio(sides, "aspect_ratio");
        } else if let Some(rule) = self.rule(Param::Size) {
            self.size_of_ratio(sides, rule);
        } else if let Some(rule) = self.rule(Param::Width) {
            self.sides_of_ratio(sides, rule);
        } else {
            self.shape.unmet.push("aspect_ratio");
        }
        Ok(())
    }

    fn listed_ratio(&mut self, text: &str, list: &'static [&'static str]) -> Result<(), Invalid> {
        if let Some(word) = list.iter().find(|of| of.eq_ignore_ascii_case(text)) {
            self.set(Param::AspectRatio, word);
            return Ok(());
        }
        let sides = size(text).ok_or_else(|| self.refused("aspect_ratio", &Rule::OneOf(list)))?;
        let (ratio, off) = nearest(list, sides);
        if off <= SAME_RATIO_TOLERANCE {
            self.set(Param::AspectRatio, ratio);
        } else if let Some(rule) = self.rule(Param::Width).filter(|_| list.contains(&"custom")) {
            self.sides_of_ratio(sides, rule);
        } else {
            return Err(self.refused("aspect_ratio", &Rule::OneOf(list)));
        }
        Ok(())
    }

    fn size_of_ratio(&mut self, sides: Sides, rule: Rule) {
        match rule {
            Rule::OneOf(list) => {
                let (like, off) = nearest(list, sides);
                if off <= NEAR_RATIO_TOLERANCE {
                    self.set(Param::Size, like);
                }
                self.note(off, "aspect_ratio");
            }
            Rule::Size(pixels) => {
                let (width, height) = within(pixels, sides);
                self.set(Param::Size, &format!("{width}x{height}"));
                self.note(off((width, height), sides), "aspect_ratio");
            }
            _ => self.shape.unmet.push("aspect_ratio"),
        }
    }

    /// The class of a size, or the smallest that the model has.
    fn class(&mut self, sides: Sides) {
        let classes = [class(sides), "1K"];
        let rule = self.rule(Param::Resolution);
        let taken = |class: &&str| rule.is_some_and(|rule| rule.check(&(*class).into()).is_ok());
        if let Some(class) = classes.into_iter().find(taken) {
            self.set(Param::Resolution, class);
        }
    }

    /// Both sides are of one kind.
    fn check_side(&self, (width, height): Sides, rule: Rule) -> Result<(), Invalid> {
        let fits = |side: u32| rule.check(&side.into()).is_ok();
        if fits(width) && fits(height) {
            return Ok(());
        }
        let message = format!(
            "{} takes WIDTHxHEIGHT as size, each of them {}",
            self.model,
            rule.allowed()
        );
        Err(Invalid::new("size", message))
    }

    /// Sides of a ratio, within the bounds of a side.
    fn sides_of_ratio(&mut self, sides: Sides, rule: Rule) {
        let (least, most) = match rule {
            Rule::Whole(least, most) | Rule::Multiple(_, least, most) => (least, most),
            _ => (1, i64::MAX),
        };
        let bounded = |side: u32| {
            let side = i64::from(side).clamp(least, most);
            u32::try_from(side).unwrap_or(u32::MAX)
        };
        let (width, height) = area(sides, 32);
        let found = (bounded(width), bounded(height));
        self.free_sides(found);
        self.note(off(found, sides), "aspect_ratio");
    }

    /// Sides in fields of their own, beside a ratio that says so.
    fn free_sides(&mut self, (width, height): Sides) {
        if self.rule(Param::AspectRatio).is_some() {
            self.set(Param::AspectRatio, "custom");
        }
        self.shape.values.push((Param::Width, width.into()));
        self.shape.values.push((Param::Height, height.into()));
    }

    /// The nearest ratio of two small numbers.
    fn small_ratio(&mut self, sides: Sides, param: &'static str) {
        let most = match self.rule(Param::AspectWidth) {
            Some(Rule::Whole(_, most)) => u32::try_from(most).unwrap_or(1),
            _ => 1,
        };
        let pairs = (1..=most).flat_map(|width| (1..=most).map(move |height| (width, height)));
        let best = pairs
            .min_by(|a, b| off(*a, sides).total_cmp(&off(*b, sides)))
            .unwrap_or((1, 1));
        self.shape.values.push((Param::AspectWidth, best.0.into()));
        self.shape.values.push((Param::AspectHeight, best.1.into()));
        self.note(off(best, sides), param);
    }

    fn rule(&self, param: Param) -> Option<Rule> {
        self.spec.field(param).map(|field| field.rule)
    }

    fn set(&mut self, param: Param, value: &str) {
        self.shape.values.push((param, value.into()));
    }

    fn note(&mut self, off: f64, param: &'static str) {
        if off > SAME_RATIO_TOLERANCE {
            self.shape.unmet.push(param);
        }
    }

    fn refused(&self, field: &str, rule: &Rule) -> Invalid {
        let allowed = rule.allowed();
        Invalid::new(field, format!("{} takes {allowed} as {field}", self.model))
    }
}

fn unreadable(field: &str, syntax: &str, example: &str) -> Invalid {
    Invalid::new(
        field,
        format!("{field} must be {syntax}, such as {example}"),
    )
}

/// By how much two ratios differ, as a fraction.
fn off(a: Sides, b: Sides) -> f64 {
    let ratio = |(width, height): Sides| f64::from(width) / f64::from(height);
    (ratio(a) / ratio(b)).ln().abs()
}

/// The entry of a list whose ratio is nearest, and of those the one whose area is.
fn nearest(list: &'static [&'static str], sides: Sides) -> (&'static str, f64) {
    let area = |(width, height): Sides| f64::from(width) * f64::from(height);
    let entries = list.iter().filter_map(|text| Some((*text, size(text)?)));
    let best = entries.min_by(|(_, a), (_, b)| {
        let by_ratio = off(*a, sides).total_cmp(&off(*b, sides));
        let far = |of: Sides| (area(of) / area(sides)).ln().abs();
        by_ratio.then_with(|| far(*a).total_cmp(&far(*b)))
    });
    best.map_or(("", f64::INFINITY), |(text, of)| (text, off(of, sides)))
}

/// The class of a size, by its longer side.
fn class((width, height): Sides) -> &'static str {
    match width.max(height) {
        0..=512 => "512",
        513..=1536 => "1K",
        1537..=3072 => "2K",
        _ => "4K",
    }
}

/// Sides of the usual area and of this ratio, multiples of a number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and the cast saturates"
)]
fn area((width, height): Sides, multiple: u32) -> Sides {
    let ratio = f64::from(width) / f64::from(height);
    let side = |length: f64| {
        let steps = (length / f64::from(multiple)).round().max(1.0) as u32;
        steps.saturating_mul(multiple)
    };
    (
        side((DEFAULT_AREA_PIXELS * ratio).sqrt()),
        side((DEFAULT_AREA_PIXELS / ratio).sqrt()),
    )
}

/// Sides of about this ratio within bounds.
fn within(pixels: Pixels, sides: Sides) -> Sides {
    let most = pixels.ratio.max(1);
    let (width, height) = sides;
    let limited = if width / height >= most {
        (most, 1)
    } else if height / width >= most {
        (1, most)
    } else {
        sides
    };
    let (width, height) = area(limited, pixels.multiple.max(8));
    let into = |side: u32| side.clamp(pixels.side.0, pixels.side.1);
    let found = (into(width), into(height));
    if pixels.holds(found) {
        found
    } else {
        (1024, 1024)
    }
}

#[cfg(test)]
mod tests;
