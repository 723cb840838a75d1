//! What is in `deploy/`, as far as it can be tried without a container engine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rig::command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

#[test]
fn the_image_holds_the_program_alone_and_runs_as_nobody_in_particular() {
    let file = text("Dockerfile");
    let last = file.split("\nFROM ").last().unwrap();
    assert!(last.starts_with("scratch\n"), "{last}");
    for line in [
        "USER 65532:65532",
        "EXPOSE 5001",
        "ENTRYPOINT [\"/1min-relay\"]",
    ] {
        assert!(last.contains(line), "{line}");
    }
    assert!(last.contains("ca-certificates.crt"));
    let ignored = std::fs::read_to_string(folder().join("../.dockerignore")).unwrap();
    for name in [".env", "target", ".git"] {
        assert!(ignored.lines().any(|line| line == name), "{name}");
    }
}

/// Names in capitals at the beginning of a line, before `=` or `:`.
fn settings(file: &str) -> Vec<&str> {
    let names = file.lines().filter_map(|line| {
        let line = line.trim_start().trim_start_matches("ENV ");
        let (name, _) = line.split_once(['=', ':'])?;
        let is_setting = name.len() > 3
            && name.contains('_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        is_setting.then_some(name)
    });
    names.collect()
}

#[test]
fn every_setting_that_is_made_there_exists() {
    let help = command().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (compose, image) = (text("compose.yaml"), text("Dockerfile"));
    let made = [settings(&compose), settings(&image)].concat();
    assert!(
        made.contains(&"MEMCACHED_HOST") && made.contains(&"DATA_DIR"),
        "{made:?}"
    );
    for name in made {
        assert!(help.contains(&format!("[env: {name}")), "{name}");
    }
}

#[test]
fn systemd_takes_the_unit() {
    let unit = text("1min-relay.service");
    let program = env!("CARGO_BIN_EXE_1min-relay");
    let unit = unit.replace(
        "ExecStart=/usr/local/bin/1min-relay",
        &format!("ExecStart={program}"),
    );
    assert!(unit.contains(program));
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("1min-relay.service");
    std::fs::write(&copy, unit).unwrap();
    let Ok(verified) = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&copy)
        .output()
    else {
        eprintln!("SKIPPED: systemd-analyze is not installed");
        return;
    };
    // It looks at the units that ours refers to as well; how they are is this machine's business.
    let said = String::from_utf8_lossy(&verified.stderr);
    let mut of_ours = said.lines().filter(|line| line.contains("1min-relay"));
    assert_eq!(of_ours.next(), None, "{said}");
}

/// All files of a folder with this extension, read.
fn sources(folder: &Path, extension: &str, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "node_modules" {
            sources(&path, extension, all);
        } else if path.extension().is_some_and(|of| of == extension) {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_that_parity_names_exists() {
    let root = folder().join("..");
    let mut tests = String::new();
    sources(&root.join("crates"), "rs", &mut tests);
    sources(&root.join("clients/python"), "py", &mut tests);
    let parity = std::fs::read_to_string(root.join("docs/dev/parity.md")).unwrap();
    let rows = parity.lines().filter(|line| line.starts_with("| "));
    let shown = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let words = shown.flat_map(|cell| cell.split([' ', ',', ';', '`', '(', ')']));
    let named = words.filter(|word| word.matches('_').count() > 1 && !word.contains("::"));
    let mut seen = 0;
    for name in named {
        let beginning = name.trim_end_matches('…');
        let is_there = ["fn ", "def test_"]
            .iter()
            .any(|of| tests.contains(&format!("{of}{beginning}")));
        assert!(
            is_there,
            "docs/dev/parity.md names {name}, which is no test"
        );
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}
