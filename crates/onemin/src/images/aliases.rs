//! Names under which image models are known elsewhere.

/// Earlier ids of 1min.ai and the short names that its clients use, each with today's id.
pub const RENAMED: &[(&str, &str)] = &[
    ("midjourney", "magic-art"),
    ("midjourney_5_2", "magic-art"),
    ("midjourney_6_1", "magic-art_6_1"),
    ("midjourney_7_0", "magic-art_7_0"),
    ("magic-art_5_2", "magic-art"),
    ("flux-schnell", "black-forest-labs/flux-schnell"),
    ("flux-dev", "black-forest-labs/flux-dev"),
    ("flux-pro", "black-forest-labs/flux-pro"),
    ("flux-1.1-pro", "black-forest-labs/flux-1.1-pro"),
    ("phoenix", "6b645e3a-d64f-4341-a6d8-7a3690fbf042"),
    ("lightning-xl", "b24e16ff-06e3-43eb-8d33-4416c2d75876"),
    ("anime-xl", "e71a1c2f-4f80-4800-934f-2c68979d8cc8"),
    ("kino-xl", "aa77f04e-3eec-4034-9c07-d0f619684628"),
    ("vision-xl", "5c232a9e-9061-4777-980a-ddc8e65647c6"),
    ("albedo-base-xl", "2067ae52-33fd-4a82-bb92-c2c55e7d2786"),
    ("diffusion-xl", "1e60896f-3c26-4296-8ecc-53e2afecc132"),
];

/// Upstream's current id for a name.
#[must_use]
pub fn current_id(name: &str) -> &str {
    let found = RENAMED.iter().find(|(old, _)| *old == name);
    found.map_or(name, |(_, new)| new)
}
