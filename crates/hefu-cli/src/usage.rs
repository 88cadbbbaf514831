//! Reading the command line: help in both languages, and wrong usage as an error like any other.

use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
};

use clap::{
    ColorChoice, CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    args::Cli,
    error::{CliError, exit},
    help,
    lang::{Lang, Text, text},
};

/// The command line; or the exit code, when everything has been said.
pub(crate) fn parse(words: &[OsString]) -> Result<Cli, u8> {
    let lang = match value_of(words, "--lang").as_deref() {
        Some("zh") => Lang::Zh,
        Some("en") => Lang::En,
        _ => Lang::of_environment(),
    };
    let no_color = words.iter().any(|word| word == "--no-color");
    let color = if no_color { ColorChoice::Never } else { ColorChoice::Auto };
    let command = help::in_language(Cli::command().color(color), lang);
    let parsed = command.try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe is no failure of ours.
            let _ = io::stdout().write_all(help_text(&error, lang, no_color).as_bytes());
            exit::DONE
        }
        _ => {
            say(&error, lang, words);
            exit::USAGE
        }
    })
}

/// Help or version; clap writes the placeholder of options in English only.
fn help_text(error: &clap::Error, lang: Lang, no_color: bool) -> String {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let paint = io::stdout().is_terminal() && !no_color && !set("NO_COLOR");
    let text = error.render();
    let text = if paint { text.ansi().to_string() } else { text.to_string() };
    match lang {
        Lang::Zh => text.replace("[OPTIONS]", "[选项]"),
        Lang::En => text,
    }
}

fn say(error: &clap::Error, lang: Lang, words: &[OsString]) {
    let shown = as_error(error);
    let format = value_of(words, "--format");
    let out = if format.is_some_and(|format| format.starts_with("json")) {
        format!("{}\n", shown.to_json(lang))
    } else {
        shown.to_text(lang, io::stderr().is_terminal() && !words.iter().any(|word| word == "--no-color"))
    };
    let _ = io::stderr().write_all(out.as_bytes());
}

/// A value given before the command line is understood as a whole.
fn value_of(words: &[OsString], option: &str) -> Option<String> {
    let mut words = words.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if word == option {
            return words.next().map(str::to_owned);
        }
        if let Some(value) = word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}

fn as_error(error: &clap::Error) -> CliError {
    let part = |kind| match error.get(kind)? {
        ContextValue::String(one) => Some(one.clone()),
        ContextValue::Strings(many) => Some(many.join(" ")),
        _ => None,
    };
    let arg = part(ContextKind::InvalidArg).unwrap_or_default();
    let value = part(ContextKind::InvalidValue).unwrap_or_default();
    let english = english(error);
    let chinese = match error.kind() {
        ErrorKind::UnknownArgument => format!("没有参数 `{arg}`"),
        ErrorKind::InvalidSubcommand => {
            format!("没有命令 `{}`", part(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数 {arg}"),
        ErrorKind::MissingSubcommand => "缺少子命令".to_owned(),
        ErrorKind::InvalidValue if value.is_empty() => format!("参数 {arg} 缺少取值"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => format!("参数 {arg} 的取值 `{value}` 无效"),
        ErrorKind::ArgumentConflict => {
            format!("参数 {arg} 不能与 {} 同用", part(ContextKind::PriorArg).unwrap_or_default())
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("参数 {arg} 的取值个数不对")
        }
        _ => english.clone(),
    };
    let shown = CliError::usage(text(chinese, english));
    match hint(error) {
        Some(hint) => shown.hint(hint),
        None => shown.hint(text("加 --help 查看用法", "add --help to see the usage")),
    }
}

/// clap's own first paragraph, in one line.
fn english(error: &clap::Error) -> String {
    let whole = error.render().to_string();
    let first = whole.split("\n\n").next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    first.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn hint(error: &clap::Error) -> Option<Text> {
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue] {
        let words = match error.get(kind) {
            Some(ContextValue::String(one)) => one.clone(),
            Some(ContextValue::Strings(many)) if !many.is_empty() => many.join(", "),
            _ => continue,
        };
        return Some(text(format!("是否想用 {words}?"), format!("did you mean {words}?")));
    }
    let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue) else { return None };
    let valid = valid.join(", ");
    Some(text(format!("可用 {valid}"), format!("use one of {valid}")))
}
