//! The shape of a picture: what was wished in pixels or as a ratio, in the fields that the model
//! has for it.

use serde_json::Value;

use crate::features::Invalid;
use crate::features::form::{Form, Knob, Pixels, Rule, size};

/// The pixels of a picture of which only the ratio is wished.
const USUAL_AREA: f64 = 1024.0 * 1024.0;

/// A ratio may be off by so much and is still called the same, as a fraction.
const SAME: f64 = 0.01;

/// A ratio may be off by so much and is still better than none.
const NEAR: f64 = 0.3;

/// A size that a model has only ratios for may be off by so much.
const LIKE: f64 = 0.1;

/// What a shape comes down to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) wishes: Vec<(Knob, Value)>,
    /// What was not met, or not exactly.
    pub(super) unmet: Vec<&'static str>,
}

type Sides = (u32, u32);

/// The shape for a model.
///
/// # Errors
/// A size or ratio that cannot be read, or that the model cannot do, and what it can.
pub(super) fn shape(
    form: &Form,
    model: &str,
    wanted_size: Option<&str>,
    wanted_ratio: Option<&str>,
) -> Result<Shape, Invalid> {
    let mut shaping = Shaping {
        form,
        model,
        shape: Shape::default(),
    };
    let size = wanted_size.map(str::trim).filter(|text| is_said(text));
    let ratio = wanted_ratio.map(str::trim).filter(|text| is_said(text));
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

struct Shaping<'f> {
    form: &'f Form,
    model: &'f str,
    shape: Shape,
}

impl Shaping<'_> {
    /// Meets a size. Says whether the shape is settled by it.
    fn size(&mut self, text: &str, has_ratio: bool) -> Result<bool, Invalid> {
        if let Some(field) = self.form.field(Knob::Resolution)
            && field.rule.check(&text.into()).is_ok()
        {
            self.wish(Knob::Resolution, text);
            return Ok(false);
        }
        let sides = size(text).ok_or_else(|| unreadable("size", "WIDTHxHEIGHT", "1024x1024"))?;
        if let Some(rule) = self.rule(Knob::Size) {
            self.listed_size(sides, rule)?;
            return Ok(true);
        }
        if let Some(rule) = self.rule(Knob::Width) {
            self.check_side(sides, rule)?;
            self.free_sides(sides);
            return Ok(true);
        }
        if self.rule(Knob::Resolution).is_some() {
            self.class(sides);
        }
        let takes_ratio =
            [Knob::AspectRatio, Knob::AspectWidth].map(|knob| self.rule(knob).is_some());
        if has_ratio {
            if takes_ratio == [false; 2] && self.rule(Knob::Resolution).is_none() {
                self.shape.unmet.push("size");
            }
            return Ok(false);
        }
        match (self.rule(Knob::AspectRatio), self.rule(Knob::AspectWidth)) {
            (Some(Rule::OneOf(list)), _) => {
                let (ratio, off) = nearest(list, sides);
                if off > LIKE {
                    return Err(self.refused("size", &Rule::OneOf(list)));
                }
                self.wish(Knob::AspectRatio, ratio);
                self.note(off, "size");
            }
            (_, Some(_)) => self.small_ratio(sides, "size"),
            _ if self.rule(Knob::Resolution).is_some() => self.note(off((1, 1), sides), "size"),
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
                if exact.is_none() && off > SAME {
                    return Err(self.refused("size", &rule));
                }
                if exact.is_none() {
                    self.shape.unmet.push("size");
                }
                self.wish(Knob::Size, exact.unwrap_or(&like));
            }
            _ => self.wish(Knob::Size, &format!("{}x{}", sides.0, sides.1)),
        }
        Ok(())
    }

    /// A ratio.
    fn ratio(&mut self, text: &str) -> Result<(), Invalid> {
        if let Some(Rule::OneOf(list)) = self.rule(Knob::AspectRatio) {
            return self.listed_ratio(text, list);
        }
        let sides = size(text).ok_or_else(|| unreadable("aspect_ratio", "WIDTH:HEIGHT", "16:9"))?;
        if self.rule(Knob::AspectWidth).is_some() {
            self.small_ratio(sides, "aspect_ratio");
        } else if let Some(rule) = self.rule(Knob::Size) {
            self.size_of_ratio(sides, rule);
        } else if let Some(rule) = self.rule(Knob::Width) {
            self.sides_of_ratio(sides, rule);
        } else {
            self.shape.unmet.push("aspect_ratio");
        }
        Ok(())
    }

    fn listed_ratio(&mut self, text: &str, list: &'static [&'static str]) -> Result<(), Invalid> {
        if let Some(word) = list.iter().find(|of| of.eq_ignore_ascii_case(text)) {
            self.wish(Knob::AspectRatio, word);
            return Ok(());
        }
        let sides = size(text).ok_or_else(|| self.refused("aspect_ratio", &Rule::OneOf(list)))?;
        let (ratio, off) = nearest(list, sides);
        if off <= SAME {
            self.wish(Knob::AspectRatio, ratio);
        } else if let Some(rule) = self.rule(Knob::Width).filter(|_| list.contains(&"custom")) {
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
                if off <= NEAR {
                    self.wish(Knob::Size, like);
                }
                self.note(off, "aspect_ratio");
            }
            Rule::Size(pixels) => {
                let (width, height) = within(pixels, sides);
                self.wish(Knob::Size, &format!("{width}x{height}"));
                self.note(off((width, height), sides), "aspect_ratio");
            }
            _ => self.shape.unmet.push("aspect_ratio"),
        }
    }

    /// The class of a size, or the smallest that the model has.
    fn class(&mut self, sides: Sides) {
        let classes = [class(sides), "1K"];
        let rule = self.rule(Knob::Resolution);
        let taken = |class: &&str| rule.is_some_and(|rule| rule.check(&(*class).into()).is_ok());
        if let Some(class) = classes.into_iter().find(taken) {
            self.wish(Knob::Resolution, class);
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
        if self.rule(Knob::AspectRatio).is_some() {
            self.wish(Knob::AspectRatio, "custom");
        }
        self.shape.wishes.push((Knob::Width, width.into()));
        self.shape.wishes.push((Knob::Height, height.into()));
    }

    /// The nearest ratio of two small numbers.
    fn small_ratio(&mut self, sides: Sides, wished: &'static str) {
        let most = match self.rule(Knob::AspectWidth) {
            Some(Rule::Whole(_, most)) => u32::try_from(most).unwrap_or(1),
            _ => 1,
        };
        let pairs = (1..=most).flat_map(|width| (1..=most).map(move |height| (width, height)));
        let best = pairs
            .min_by(|a, b| off(*a, sides).total_cmp(&off(*b, sides)))
            .unwrap_or((1, 1));
        self.shape.wishes.push((Knob::AspectWidth, best.0.into()));
        self.shape.wishes.push((Knob::AspectHeight, best.1.into()));
        self.note(off(best, sides), wished);
    }

    fn rule(&self, knob: Knob) -> Option<Rule> {
        self.form.field(knob).map(|field| field.rule)
    }

    fn wish(&mut self, knob: Knob, value: &str) {
        self.shape.wishes.push((knob, value.into()));
    }

    fn note(&mut self, off: f64, wished: &'static str) {
        if off > SAME {
            self.shape.unmet.push(wished);
        }
    }

    fn refused(&self, field: &str, rule: &Rule) -> Invalid {
        let allowed = rule.allowed();
        Invalid::new(field, format!("{} takes {allowed} as {field}", self.model))
    }
}

fn unreadable(field: &str, form: &str, example: &str) -> Invalid {
    Invalid::new(field, format!("{field} must be {form}, such as {example}"))
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
        side((USUAL_AREA * ratio).sqrt()),
        side((USUAL_AREA / ratio).sqrt()),
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
