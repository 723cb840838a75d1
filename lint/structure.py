#!/usr/bin/env python3
"""Refuses import cycles, broken layers, words that were replaced and dead dependencies. `./test lint` runs it.

    lint/structure.py            every rule; one with `level = "warn"` reports and does not fail
    lint/structure.py cycles     one kind of rule: cycles, layers, words, messages, dependencies
    lint/structure.py --graph    what each file imports

The rules are data: `lint/structure.toml`. Imports are counted between **files**, outside of tests:

- `use` and paths in code that begin with `crate`, `super`, `self`, a child module or an imported module are
  followed to the file that has the item. What a file passes on by `pub use` counts where it is defined, so
  that a module may offer its parts under its own name.
- `mod child;` and `pub use child::…` alone are no import. A parent that uses what a child has, and is used
  by the child, is a cycle as any other: what both need belongs into a file below them.
"""

import argparse
import re
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import rust_source

ROOT = Path(__file__).resolve().parent.parent
LABELS = {"deny": "error", "warn": "warning"}
KINDS = ("cycles", "layers", "words", "messages", "dependencies")


class Crate:
    """The files of a crate's `src`, and which imports which."""

    def __init__(self, name, files):
        """`files`: path below `src` → text."""
        self.name = name
        self.files = {path: rust_source.read(text) for path, text in files.items()}
        tests = {
            child
            for path, source in self.files.items()
            for name in source.test_children
            for child in self._below(self._module(path) + (name,))
        }
        for path in tests:
            del self.files[path]
        self.modules = {self._module(path): path for path in self.files if self._module(path) is not None}
        self.bindings = {path: {} for path in self.files}
        for path in self.files:
            self._bind(path)
        self.imports = {path: self._imports(path) for path in sorted(self.files)}

    def _below(self, module):
        stem = "/".join(module)
        return [p for p in self.files if p in (f"{stem}.rs", f"{stem}/mod.rs") or p.startswith(f"{stem}/")]

    @staticmethod
    def _module(path):
        """The module path of a file; of `main.rs`, which is a crate of its own, a name that no `use` can have."""
        parts = path.removesuffix(".rs").split("/")
        if parts == ["lib"]:
            return ()
        if parts[-1] == "mod":
            parts.pop()
        return ("main!",) if parts == ["main"] else tuple(parts)

    def _absolute(self, path, words):
        """A path from the crate's root; none if it leaves the crate."""
        module = self._module(path)
        first, rest = words[0], words[1:]
        if first in ("crate", self.name):
            return rest
        if first in ("self", "super"):
            while first in ("self", "super"):
                module = module[:-1] if first == "super" else module
                if not rest:
                    return module
                first, rest = rest[0], rest[1:]
            return (*module, first, *rest)
        bound = self.bindings[path].get(first)
        return None if bound is None else bound + rest

    def _bind(self, path):
        """Notes the names in a file that mean modules of the crate: children, and what `use` brings in."""
        source, module, names = self.files[path], self._module(path), self.bindings[path]
        names.update({child: (*module, child) for child in source.children})
        for use in source.uses:
            target = self._absolute(path, use.path)
            if target in self.modules:
                names[use.name] = target

    def _defines(self, target, seen=()):
        """The file that has what an absolute path names, through `pub use`."""
        if target in self.modules:
            return self.modules[target]
        for cut in range(len(target) - 1, -1, -1):
            if target[:cut] not in self.modules:
                continue
            path, name = self.modules[target[:cut]], target[cut]
            for use in self.files[path].uses:
                if use.is_public and use.name == name and (path, name) not in seen:
                    passed_on = self._absolute(path, use.path)
                    if passed_on is not None:
                        return self._defines(passed_on + target[cut + 1 :], (*seen, (path, name)))
            return path
        return None

    def _imports(self, path):
        """Imported file → (line, path as it is written), the first of each."""
        source, found = self.files[path], {}
        words = set(rust_source.IDENT.findall(source.body))
        named = {p[0] for _, p in source.paths}

        def add(line, target, written):
            file = None if target is None else self._defines(target)
            if file is not None and file != path:
                found.setdefault(file, (line, "::".join(written)))

        for use in source.uses:
            target = self._absolute(path, use.path)
            if target in self.modules and use.path[-1] != "*" and use.name in named:
                continue  # counted where it is used
            if use.is_public and use.name not in words:
                continue  # only passed on
            if use.path[-1] == "*" and target is not None:
                target = target[:-1]
            add(use.line, target, use.path)
        for line, written in source.paths:
            add(line, self._absolute(path, written), written)
        return found


def components(graph):
    """Strongly connected components with more than one node, by Tarjan's algorithm."""
    index, low, stack, on, out = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on.add(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
                on.discard(group[-1])
            if len(group) > 1:
                out.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return out


def shortest_cycle(graph, group):
    """The shortest way round inside a component."""
    best = None
    for start in group:
        ways, seen = [[start]], {start}
        while ways and (best is None or len(ways[0]) < len(best)):
            way = ways.pop(0)
            for other in graph[way[-1]]:
                if other == start:
                    best = way
                    ways = []
                    break
                if other in group and other not in seen:
                    seen.add(other)
                    ways.append([*way, other])
    return best


def cycles(crates, levels):
    """One finding a component: how many files, and the shortest way round; `levels`: crate → level."""
    for crate in crates:
        for group in components(crate.imports):
            way = shortest_cycle(crate.imports, group)
            steps = []
            for one, other in zip(way, [*way[1:], way[0]]):
                line, written = crate.imports[one][other]
                steps.append(f"\n    {one}:{line} imports {other} ({written})")
            text = f"crates/{crate.name}: {len(group)} files import each other, such as{''.join(steps)}"
            yield levels.get(crate.name, "deny"), text


def level(rule):
    """What a finding of this rule does: `deny` fails the run, `warn` only tells."""
    return rule.get("level", "deny")


def matches(path, patterns):
    """Whether a path is meant by one of the patterns; `a/*` means everything below `a`."""
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def layers(crates, rules):
    """Imports that a rule forbids, and manifests that name a crate they must not."""
    for rule in rules:
        for crate in crates:
            if crate.name != rule["crate"]:
                continue
            for path, imports in crate.imports.items():
                if not matches(path, rule["files"]) or matches(path, rule.get("except", [])):
                    continue
                for other, (line, written) in imports.items():
                    if matches(other, rule["must_not_import"]):
                        yield level(rule), f"crates/{crate.name}/src/{path}:{line} imports {written}: {rule['why']}"


def manifests(root, rules):
    """Dependencies between the workspace's crates, and what a pure crate must not have."""
    for rule in rules:
        manifest = tomllib.loads((root / "crates" / rule["crate"] / "Cargo.toml").read_text())
        for name in sorted(manifest.get("dependencies", {}).keys() & set(rule["must_not_depend_on"])):
            yield level(rule), f"crates/{rule['crate']}/Cargo.toml depends on {name}: {rule['why']}"


def words(texts, rules):
    """Identifiers and file names of old; `texts`: path from the root → text."""
    for path, text in texts.items():
        wanted = [r for r in rules if matches(path, r.get("in", ["*"])) and not matches(path, r.get("except", []))]
        stem = Path(path).stem
        code = rust_source.code_of(text)
        for rule in wanted:
            if stem in rule.get("files", []):
                yield level(rule), f"{path}: no file is called `{stem}`; say {rule['instead']}"
        names = {name: rule for rule in wanted for name in rule.get("names", [])}
        told = set()
        for found in rust_source.IDENT.finditer(code):
            name = found.group()
            if name in names and name not in told:
                told.add(name)
                line = rust_source.line_of(code, found.start())
                rule = names[name]
                yield level(rule), f"{path}:{line}: `{name}` has been replaced; say {rule['instead']}"


def messages(crates, rules):
    """Sentences in strings that are not plain English."""
    for rule in rules:
        pattern = re.compile(rule["pattern"])
        for crate in crates:
            for path, source in crate.files.items():
                where = f"crates/{crate.name}/src/{path}"
                if not matches(where, rule.get("in", ["*"])) or matches(where, rule.get("except", [])):
                    continue
                for line, text in source.strings:
                    if pattern.search(text):
                        yield level(rule), f"{where}:{line}: {' '.join(text.split())[:90]!r}: {rule['why']}"


def dependencies(manifests, texts):
    """Dependencies that no file names; `manifests`: path from the root → parsed, `texts`: path → Rust source."""
    named = {}
    for path, text in texts.items():
        named.setdefault("/".join(path.split("/")[:2]), set()).update(rust_source.IDENT.findall(rust_source.code_of(text)))
    members = {path.removesuffix("/Cargo.toml"): m for path, m in manifests.items() if path != "Cargo.toml"}
    declared = set()
    for folder, manifest in members.items():
        for table in ("dependencies", "dev-dependencies"):
            for name in manifest.get(table, {}):
                declared.add(name)
                if name.replace("-", "_") not in named.get(folder, set()):
                    yield "deny", f"{folder}/Cargo.toml: nothing names `{name}`"
    workspace = manifests.get("Cargo.toml", {}).get("workspace", {}).get("dependencies", {})
    for name in sorted(workspace.keys() - declared):
        yield "deny", f"Cargo.toml: no crate of the workspace takes `{name}`"


def load(root):
    """The crates, and the texts in which words are looked for: sources and tests."""
    crates, texts = [], {}
    for folder in sorted((root / "crates").iterdir()):
        source = folder / "src"
        if not source.is_dir():
            continue
        files = {p.relative_to(source).as_posix(): p.read_text() for p in sorted(source.rglob("*.rs"))}
        crates.append(Crate(folder.name, files))
        for path in sorted(folder.rglob("*.rs")):
            texts[path.relative_to(root).as_posix()] = path.read_text()
    return crates, texts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="one of " + ", ".join(KINDS))
    parser.add_argument("--graph", action="store_true", help="print what each file imports")
    parser.add_argument("--quiet", action="store_true", help="count what is only reported, without telling it")
    arguments = parser.parse_args()
    if unknown := set(arguments.kinds) - set(KINDS):
        parser.error(f"unknown kind {', '.join(sorted(unknown))}")
    config = tomllib.loads((ROOT / "lint" / "structure.toml").read_text())
    crates, texts = load(ROOT)
    if arguments.graph:
        for crate in crates:
            for path, imports in crate.imports.items():
                print(f"{crate.name}/{path}: {' '.join(sorted(imports))}")
        return 0
    parsed = {p.relative_to(ROOT).as_posix(): tomllib.loads(p.read_text()) for p in ROOT.glob("crates/*/Cargo.toml")}
    parsed["Cargo.toml"] = tomllib.loads((ROOT / "Cargo.toml").read_text())
    findings = {
        "cycles": lambda: cycles(crates, config["cycles"]),
        "layers": lambda: [*layers(crates, config["layer"]), *manifests(ROOT, config["manifest"])],
        "words": lambda: words(texts, config["word"]),
        "messages": lambda: messages(crates, config["message"]),
        "dependencies": lambda: dependencies(parsed, texts),
    }
    counts = {"deny": 0, "warn": 0}
    for kind in arguments.kinds or KINDS:
        for severity, text in findings[kind]():
            counts[severity] += 1
            if severity == "deny" or not arguments.quiet:
                print(f"{LABELS[severity]}: {kind}: {text}")
    if any(counts.values()):
        print(f"structure: {counts['deny']} refused, {counts['warn']} reported")
    return int(counts["deny"] > 0)


if __name__ == "__main__":
    sys.exit(main())
