#!/usr/bin/env python3
"""Tests of `structure.py` and of its reader: `python3 lint/test_structure.py`."""

import unittest

import rust_source
import structure


def imports(files, name="demo"):
    """Who imports whom in a crate of these files."""
    return {path: sorted(found) for path, found in structure.Crate(name, files).imports.items()}


class Reading(unittest.TestCase):
    def test_comments_strings_and_tests_are_no_code(self):
        cases = {
            "a // b\nc": "a c",
            "a /* b /* c */ d */ e": "a e",
            'a "b // c" d': "a d",
            'a r#"b " c"# d': "a d",
            r'a "b \" c" d': "a d",
            "a 'b' '\\'' '\\u{1F600}' d": "a d",
            "fn f<'a>(x: &'a str)": "fn f<'a>(x: &'a str)",
            "a #[cfg(test)] mod tests { b { c } } d": "a d",
            "a #[cfg(test)] #[path = \"x\"] mod tests; d": "a d",
            "a #[cfg(test)] use b::{c}; d": "a d",
        }
        for text, code in cases.items():
            self.assertEqual(rust_source.read(text).code.split(), code.split(), text)

    def test_strings_have_their_line_and_none_is_a_tests(self):
        source = rust_source.read('a\n"one"\n#[cfg(test)]\nmod tests { f("two") }\nf(r"three")')
        self.assertEqual(source.strings, [(2, "one"), (5, "three")])

    def test_use_trees(self):
        text = "use a::{self, b::{C, d as e}, f::*, g::{self as h}};"
        uses = [("::".join(u.path), u.name) for u in rust_source.read(text).uses]
        self.assertEqual(uses, [("a", "a"), ("a::b::C", "C"), ("a::b::d", "e"), ("a::f::*", "*"), ("a::g", "h")])


class Imports(unittest.TestCase):
    def test_paths_are_followed_to_the_file_that_has_the_item(self):
        files = {
            "lib.rs": "pub mod a; pub mod b;",
            "a.rs": "mod c; pub use c::C; use crate::b::B;",
            "a/c.rs": "pub struct C;",
            "b.rs": "pub struct B;",
        }
        for text, wanted in {
            "use crate::a::C;": ["a/c.rs"],
            "use crate::a::D;": ["a.rs"],
            "fn f() { crate::a::C::new() }": ["a/c.rs"],
            "use crate::a; fn f() { a::C::new() }": ["a/c.rs"],
            "use super::a;": ["a.rs"],
            "use demo::a::c::C;": ["a/c.rs"],
            "use std::a::c::C;": [],
            "//! [`crate::a`]": [],
            "#[cfg(test)] mod tests { use crate::a::C; }": [],
        }.items():
            self.assertEqual(imports({**files, "b.rs": text})["b.rs"], wanted, text)

    def test_declaring_and_passing_on_are_no_import_but_using_is(self):
        child = {"a/c.rs": "use super::S;"}
        for text, wanted in {
            "mod c; pub struct S;": [],
            "mod c; pub use c::C; pub struct S;": [],
            "mod c; pub use c::C; pub struct S(C);": ["a/c.rs"],
            "mod c; pub struct S; fn f() { c::g() }": ["a/c.rs"],
        }.items():
            found = imports({"lib.rs": "mod a;", "a.rs": text, **child})
            self.assertEqual((found["a.rs"], found["a/c.rs"]), (wanted, ["a.rs"]), text)

    def test_test_modules_in_files_of_their_own_do_not_count(self):
        found = imports({"lib.rs": "mod a;", "a.rs": "#[cfg(test)] mod tests;", "a/tests.rs": "use super::*;"})
        self.assertEqual(found, {"lib.rs": [], "a.rs": []})


class Rules(unittest.TestCase):
    def test_a_cycle_is_told_by_its_shortest_way(self):
        files = {
            "lib.rs": "mod a; mod b; mod c;",
            "a.rs": "use crate::b::B;",
            "b.rs": "use crate::c::C;\nuse crate::a::A;",
            "c.rs": "use crate::a::A;",
        }
        ((level, text),) = structure.cycles([structure.Crate("demo", files)], {"demo": "warn"})
        self.assertEqual(level, "warn")
        self.assertIn("3 files", text)
        self.assertIn("b.rs:2 imports a.rs", text)
        self.assertNotIn("c.rs", text)
        files["b.rs"] = ""
        self.assertEqual(list(structure.cycles([structure.Crate("demo", files)], {})), [])

    def test_layers(self):
        crate = structure.Crate("demo", {"lib.rs": "mod app; mod store;", "app.rs": "", "store.rs": "use crate::app::A;"})
        rule = {"crate": "demo", "files": ["*"], "except": ["main.rs"], "must_not_import": ["app*"], "why": "so"}
        self.assertEqual(
            list(structure.layers([crate], [rule])), [("deny", "crates/demo/src/store.rs:1 imports crate::app::A: so")]
        )
        self.assertEqual(list(structure.layers([crate], [{**rule, "except": ["store*"]}])), [])

    def test_words_are_identifiers_and_file_names(self):
        rule = {"files": ["late"], "names": ["late", "Form"], "in": ["crates/relay/*"], "instead": "`x`"}
        for path, text, count in [
            ("crates/relay/src/a.rs", "fn late() {} late();", 1),
            ("crates/relay/src/a.rs", "struct Form; fn late() {}", 2),
            ("crates/relay/src/a.rs", "fn translate() {} // late\nconst X: &str = \"late\";", 0),
            ("crates/relay/src/late.rs", "", 1),
            ("crates/other/src/late.rs", "fn late() {}", 0),
        ]:
            self.assertEqual(len(list(structure.words({path: text}, [rule]))), count, (path, text))

    def test_messages(self):
        rule = {"pattern": r"(?<![Tt]here )\bis no\b", "why": "so"}
        for text, count in {
            'f("`x` is no role")': 1,
            'f("There is no file")': 0,
            "// is no role": 0,
            '#[cfg(test)] mod tests { f("`x` is no role") }': 0,
        }.items():
            self.assertEqual(len(list(structure.messages([structure.Crate("demo", {"lib.rs": text})], [rule]))), count, text)

    def test_dependencies_that_nobody_names(self):
        manifests = {
            "Cargo.toml": {"workspace": {"dependencies": {"a-b": "1", "c": "1", "d": "1"}}},
            "crates/x/Cargo.toml": {"dependencies": {"a-b": {}}, "dev-dependencies": {"c": {}}},
        }
        texts = {"crates/x/src/lib.rs": "use a_b::C; // c", "crates/y/src/lib.rs": "use c::D;"}
        found = [text for _, text in structure.dependencies(manifests, texts)]
        self.assertEqual(found, ["crates/x/Cargo.toml: nothing names `c`", "Cargo.toml: no crate of the workspace takes `d`"])


if __name__ == "__main__":
    unittest.main()
