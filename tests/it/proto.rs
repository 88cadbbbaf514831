//! The proto files: a comment on every service, method, message and field, and the names that buf's STANDARD rules want.

use std::{fs, path::PathBuf};

/// Lines that declare something, each with the comment above it.
#[test]
fn everything_declared_has_a_comment() {
    let mut declared = 0;
    for (name, text) in files() {
        let mut above = "";
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            let ends = line.ends_with(';') || line.ends_with('{') || line.ends_with("{}");
            let declares =
                ends && !line.starts_with("//") && !line.starts_with("import ") && !line.starts_with('}');
            let head = line.starts_with("syntax ") || line.starts_with("package ");
            if declares && !head {
                assert!(above.starts_with("// "), "{name}:{number}: `{line}` has no comment");
                declared += 1;
            }
            above = line;
        }
    }
    assert!(declared > 200, "the test reads the files: {declared}");
}

#[test]
fn names_are_as_buf_wants_them() {
    for (name, text) in files() {
        assert!(text.contains("\nsyntax = \"proto3\";\n\npackage hefu.v1;\n"), "{name}");
        for line in text.lines().map(str::trim) {
            let words: Vec<&str> = line.split([' ', '(', ')']).filter(|word| !word.is_empty()).collect();
            match words.as_slice() {
                ["rpc", method, rest @ ..] => {
                    let types: Vec<&&str> =
                        rest.iter().filter(|word| word.starts_with(char::is_uppercase)).collect();
                    let wanted = [format!("{method}Request"), format!("{method}Response")];
                    assert_eq!(types.iter().map(|one| **one).collect::<Vec<_>>(), wanted, "{name}: {line}");
                }
                ["service", service, ..] => assert!(service.ends_with("Service"), "{name}: {line}"),
                [.., field, "=", number] if number.ends_with(';') && *field != "syntax" => {
                    let snake = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                    assert!(field.bytes().all(snake), "{name}: {line}");
                }
                _ => {}
            }
        }
    }
}

fn files() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../proto/hefu/v1");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), 3);
    names.iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}
