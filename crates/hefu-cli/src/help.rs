//! Help in Chinese: the same command line in other words. English stands where the arguments are declared.

mod zh;

use std::fmt::Write as _;

use clap::{
    Arg, Command,
    builder::{Resettable, StyledStr},
};

use crate::lang::Lang;

const TEMPLATE: &str = "{about}\n\n用法:{usage}\n\n{all-args}";

/// The command line with its help in one language.
pub(crate) fn in_language(command: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => command,
        Lang::Zh => chinese(command, ""),
    }
}

fn chinese(command: Command, path: &str) -> Command {
    let mut command =
        command.help_template(TEMPLATE).subcommand_help_heading("命令").subcommand_value_name("命令");
    if let Some(about) = word(path) {
        command = command.about(about);
    }
    command = command.mut_args(|arg| argument(arg, path));
    command.mut_subcommands(|sub| {
        let below =
            if path.is_empty() { sub.get_name().to_owned() } else { format!("{path} {}", sub.get_name()) };
        chinese(sub, &below)
    })
}

fn argument(arg: Arg, path: &str) -> Arg {
    let id = arg.get_id().to_string();
    let own = word(&format!("{path}/{id}")).or_else(|| word(&format!("*/{id}")));
    let heading = match (arg.is_positional(), arg.get_help_heading().is_some()) {
        (true, _) => "参数",
        (false, true) => "通用选项",
        (false, false) => "选项",
    };
    let mut arg = arg.help_heading(heading);
    let Some(own) = own else { return arg };
    // clap adds these notes in English; here they are part of the text.
    let mut notes = String::new();
    if arg.get_action().takes_values() {
        let values = arg.get_possible_values();
        let values: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
        if !values.is_empty() {
            let _ = write!(notes, " [可选:{}]", values.join(", "));
        }
        let default = arg.get_default_values().iter().map(|value| value.to_string_lossy());
        let default = default.collect::<Vec<_>>().join(" ");
        if !default.is_empty() {
            let _ = write!(notes, " [默认:{default}]");
        }
        if let Some(variable) = arg.get_env() {
            let _ = write!(notes, " [环境变量:{}]", variable.to_string_lossy());
        }
        arg = arg.hide_possible_values(true).hide_default_value(true).hide_env(true);
    }
    arg.help(format!("{own}{notes}")).long_help(Resettable::<StyledStr>::Reset)
}

fn word(key: &str) -> Option<&'static str> {
    zh::WORDS.iter().find(|(known, _)| *known == key).map(|(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    fn untold(command: &Command, path: &str, missing: &mut Vec<String>) {
        if word(path).is_none() {
            missing.push(path.to_owned());
        }
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let id = arg.get_id().to_string();
            if word(&format!("{path}/{id}")).or_else(|| word(&format!("*/{id}"))).is_none() {
                missing.push(format!("{path}/{id}"));
            }
        }
        for sub in command.get_subcommands() {
            let below = if path.is_empty() {
                sub.get_name().to_owned()
            } else {
                format!("{path} {}", sub.get_name())
            };
            untold(sub, &below, missing);
        }
    }

    #[test]
    fn every_command_and_argument_has_chinese_help() {
        let mut missing = Vec::new();
        untold(&Cli::command(), "", &mut missing);
        assert!(missing.is_empty(), "add to help/zh.rs: {missing:?}");
    }

    #[test]
    fn the_command_line_is_sound_in_both_languages() {
        Cli::command().debug_assert();
        chinese(Cli::command(), "").debug_assert();
    }
}
