//! Chinese and English, errors for people and programs, and what -q leaves out.

use crate::support::{PROJECT, Place, hefu};

#[test]
fn the_locale_decides_and_the_option_overrules_it() {
    let place = Place::empty();
    let says = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = hefu();
        command.env_remove("LC_ALL").current_dir(place.path("")).args(["--format", "table"]).args(args);
        command.envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    let (chinese, english) = ("错误: hefu-ledger 没有账本", "error: there is no ledger at hefu-ledger");
    assert!(says(&[("LANG", "zh_CN.UTF-8")], &["check"]).contains("错误: "));
    assert!(says(&[("LANG", "zh_CN.UTF-8")], &["report", "circulation"]).starts_with(chinese));
    assert!(
        says(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], &["report", "circulation"]).starts_with(english)
    );
    assert!(
        says(&[("LC_MESSAGES", "zh_CN.UTF-8"), ("LANG", "C")], &["report", "circulation"])
            .starts_with(chinese)
    );
    assert!(
        says(&[("LANG", "zh_CN.UTF-8")], &["--lang", "en", "report", "circulation"]).starts_with(english)
    );
    assert!(says(&[], &["--lang", "zh", "submitt"]).contains("没有命令 `submitt`"));
    assert!(says(&[], &["--lang", "zh", "submitt"]).contains("提示: 是否想用 submit?"));
}

#[test]
fn errors_are_objects_where_results_are() {
    let place = Place::empty();
    for format in ["json", "jsonl"] {
        let error = place.run_bare(&["--format", format, "report", "circulation"]).exits(74).error();
        let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["code", "exit", "file", "hint", "title", "type"]);
        assert_eq!(error["type"], "urn:hefu:error:no_ledger");
    }
}

#[test]
fn quiet_keeps_the_data() {
    let place = Place::with_sample();
    let report = ["-L", "L", "report", "circulation", "--format", "table"];
    let loud = place.run_bare(&report).exits(0);
    let quiet = place.run_bare(&[&report[..], &["-q"]].concat()).exits(0);
    assert_eq!(loud.out, quiet.out);
    assert!(quiet.err.is_empty());
    let error =
        place.run_bare(&["-L", "L", "-q", "project", "show", "nothing", "--format", "table"]).exits(1);
    assert!(error.err.starts_with("error: "));
}

#[test]
fn completions_for_each_shell() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(place.run_bare(&["completions", shell]).exits(0).out.contains("submit"));
    }
}

#[test]
fn a_sentence_is_in_one_language() {
    let place = Place::with_sample();
    place.write("refused.jsonl", &format!("{{\"as\":\"330881\",\"type\":\"propose_transfer\",\"project\":\"{PROJECT}\",\"destination\":\"330108\"}}\n"));
    place.write("broken.jsonl", "{\"type\":\n");
    place.write("type.jsonl", "{\"as\":\"330881\",\"type\":\"tock\"}\n");
    place.write("date.jsonl", &format!("{{\"as\":\"330881\",\"type\":\"land_project\",\"project\":\"{PROJECT}\",\"date\":\"2023-02-30\"}}\n"));
    place.write("id.jsonl", "{\"as\":\"330881\",\"type\":\"tick\",\"id\":5}\n");
    for (args, said) in [
        (&["submit", "refused.jsonl"][..], "扩大范围"),
        (&["submit", "broken.jsonl"], "内容不完整"),
        (&["submit", "type.jsonl"], "没有命令 `tock`"),
        (&["submit", "date.jsonl"], "`2023-02-30` 不是"),
        (&["submit", "id.jsonl"], "应为字符串"),
        (&["submit", "absent.jsonl"], "文件不存在"),
        (&["report", "indicators", "--region", "江山", "--period", "2023"], "是否想用 330881 江山市?"),
        (&["report", "indicators", "--region", "330881", "--period", "2023", "--as-of", "0"], "还没有地区"),
        (&["report", "circulation", "--as-of", "2999-01-01"], "尚未到来"),
    ] {
        let told = place.table("zh", args).err;
        assert!(told.contains(said), "{args:?}: {told}");
        let why = told.lines().find(|line| line.starts_with("原因")).unwrap_or_default();
        let plain: String = why.split('`').step_by(2).collect();
        let mut words = plain.split(|c: char| !c.is_ascii_alphabetic());
        assert!(!words.any(|word| word.len() > 3 && word.to_lowercase() == word), "{why}");
    }
    let today = hefu_engine::system_clock().date().to_string();
    place.run(&["report", "circulation", "--as-of", &today]).exits(0);
}
