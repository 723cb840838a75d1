//! Comparing secrets in a time that tells nothing of where they differ.

use subtle::{Choice, ConstantTimeEq as _};

/// Whether two texts are equal. Only whether their lengths differ can be told from the time it takes.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (one, one_rest) = one.as_bytes().as_chunks::<8>();
    let (other, other_rest) = other.as_bytes().as_chunks::<8>();
    let words = one
        .iter()
        .zip(other)
        .fold(Choice::from(1), |same, (one, other)| {
            same & u64::from_ne_bytes(*one).ct_eq(&u64::from_ne_bytes(*other))
        });
    (words & one_rest.ct_eq(other_rest)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_or_differ_in_any_place() {
        for length in 0..20 {
            let one = "a".repeat(length);
            assert!(is_same(&one, &one.clone()));
            assert!(!is_same(&one, &"a".repeat(length + 1)));
            for place in 0..length {
                let other = format!("{}b{}", &one[..place], &one[place + 1..]);
                assert!(!is_same(&one, &other), "{other}");
            }
        }
    }
}
