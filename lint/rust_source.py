"""What `structure.py` needs to know of a Rust file: its code without comments, strings and tests, its
string literals, its identifiers, and the paths that it names. No parser: a scanner that is exact in what
it skips, and a reader of `use` trees."""

import functools
import re
from dataclasses import dataclass, field

IDENT = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]*\b")
RAW = re.compile(r'(?:br|cr|r)(#*)"')
CHAR = re.compile(r"b?'(?:\\(?:x[0-9A-Fa-f]{2}|u\{[0-9A-Fa-f_]+\}|.)|[^\\'\n])'")
PLAIN = re.compile(r"[^/\"'bcr]+")
USE = re.compile(r"((?:pub(?:\s*\([^)]*\))?\s+)?)use\s+([^;]+);")
MOD = re.compile(r"\bmod\s+([A-Za-z_]\w*)\s*;")
PATH = re.compile(r"(?<![:\w])(?:\$?crate|super|self|[A-Za-z_]\w*)(?:\s*::\s*[A-Za-z_]\w*)+")


@dataclass
class Use:
    """One name that a `use` brings in: the path, the name it has here, and whether it is passed on."""

    line: int
    path: tuple
    name: str
    is_public: bool


@dataclass
class Source:
    """A file, read."""

    code: str  # comments, string contents and test items are blanks; lines are kept
    strings: list  # (line, text) outside comments and tests
    uses: list = field(default_factory=list)
    children: list = field(default_factory=list)  # modules declared by `mod name;`
    test_children: list = field(default_factory=list)
    paths: list = field(default_factory=list)  # (line, path) outside `use`
    body: str = ""  # the code without its `use` items


def line_of(text, offset):
    """The line, from 1, at an offset."""
    return text.count("\n", 0, offset) + 1


def blank(text):
    """The same lines without content."""
    return "".join(c if c == "\n" else " " for c in text)


def scan(text):
    """Code without comments and string contents, and the strings as (offset, text)."""
    out, strings, at = [], [], 0
    while at < len(text):
        two = text[at : at + 2]
        if two == "//":
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            out.append(blank(text[at:end]))
        elif two == "/*":
            depth, end = 1, at + 2
            while depth and end < len(text):
                if text.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif text.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
            out.append(blank(text[at:end]))
        elif (raw := RAW.match(text, at)) and not (at and (text[at - 1].isalnum() or text[at - 1] == "_")):
            close = '"' + raw.group(1)
            stop = text.find(close, raw.end())
            stop = len(text) if stop < 0 else stop
            end = min(len(text), stop + len(close))
            strings.append((at, text[raw.end() : stop]))
            out.append(blank(text[at:end]))
        elif text[at] == '"':
            end = at + 1
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            strings.append((at, text[at + 1 : end]))
            end = min(len(text), end + 1)
            out.append(blank(text[at:end]))
        elif char := CHAR.match(text, at):
            end = char.end()
            out.append(blank(text[at:end]))
        else:
            plain = PLAIN.match(text, at)
            end = plain.end() if plain else at + 1
            out.append(text[at:end])
        at = end
    return "".join(out), strings


@functools.cache
def code_of(text):
    """Code without comments and string contents."""
    return scan(text)[0]


def item_end(code, at):
    """Where the item that begins at `at` ends: behind its block, or behind its semicolon."""
    depth, end = 0, at
    while end < len(code):
        c = code[end]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0 and c == "}":
                semicolon = re.compile(r"\s*;").match(code, end + 1)
                return semicolon.end() if semicolon else end + 1
        elif c == ";" and depth == 0:
            return end + 1
        end += 1
    return len(code)


def without_tests(code):
    """Code without the items under `#[cfg(test)]`, the blanked ranges, and the test modules of other files."""
    ranges, modules = [], []
    for found in re.finditer(r"#\s*\[\s*cfg\s*\(\s*test\s*\)\s*\]", code):
        if any(a <= found.start() < b for a, b in ranges):
            continue
        start = found.end()
        while more := re.compile(r"\s*#\s*\[").match(code, start):  # further attributes
            depth, start = 1, more.end()
            while depth and start < len(code):
                depth += {"[": 1, "]": -1}.get(code[start], 0)
                start += 1
        end = item_end(code, start)
        modules += MOD.findall(code[start:end])
        ranges.append((found.start(), end))
    for a, b in ranges:
        code = code[:a] + blank(code[a:b]) + code[b:]
    return code, ranges, modules


def use_tree(text):
    """(path, name) of each name that a `use` tree brings in; `*` is the name of a glob."""
    text = text.strip()
    brace = text.find("{")
    if brace < 0:
        path, _, name = text.partition(" as ")
        parts = tuple(re.sub(r"\s", "", path).split("::"))
        if parts[-1] == "self" and len(parts) > 1:
            parts = parts[:-1]
        yield parts, (name.strip() or parts[-1])
        return
    head = tuple(p for p in re.sub(r"\s", "", text[:brace]).split("::") if p)
    depth, part, parts = 0, "", []
    for c in text[brace + 1 : text.rfind("}")]:
        depth += {"{": 1, "}": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += c
    for part in [*parts, part]:
        if part.strip():
            for path, name in use_tree(part):
                yield (head, head[-1]) if path == ("self",) and name == "self" else (
                    head + (path[:-1] if path[-1] == "self" else path),
                    name,
                )


def read(text):
    """A file's text as a [`Source`]."""
    code, strings = scan(text)
    code, tests, test_children = without_tests(code)
    source = Source(code, [(line_of(text, at), s) for at, s in strings if not any(a <= at < b for a, b in tests)])
    source.test_children = test_children
    source.children = MOD.findall(code)
    body = code
    for found in USE.finditer(code):
        line = line_of(code, found.start(2))
        for path, name in use_tree(found.group(2)):
            source.uses.append(Use(line, path, name, bool(found.group(1))))
        body = body[: found.start()] + blank(found.group()) + body[found.end() :]
    source.body = body
    for found in PATH.finditer(body):
        path = tuple(re.sub(r"[\s$]", "", found.group()).split("::"))
        source.paths.append((line_of(body, found.start()), path))
    return source
