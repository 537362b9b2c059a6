//! The settings as flags of a command, and the loading of all layers.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::layers::{Layer, Values, from_environment, from_file, split};
use super::table::{SETTINGS, Setting};
use super::{Config, ConfigError};

/// What a command line says about settings: flatten it into a command that needs them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingArguments {
    file: Option<PathBuf>,
    flags: Layer,
}

/// All layers read: what is effective, and what to warn of.
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) values: Values,
    /// Names of the environment that look like ours and are not.
    pub(crate) unknown_environment: Vec<String>,
}

impl SettingArguments {
    /// Lays flags over environment over file over defaults.
    pub(crate) fn load(&self, environment: impl Iterator<Item = (String, String)>) -> Result<Loaded, ConfigError> {
        let environment: Vec<_> = environment.collect();
        let named = environment.iter().find(|(name, _)| name == "TIDEGATE_CONFIG").map(|(_, path)| PathBuf::from(path));
        let path = self.file.clone().or(named);
        let file = path.as_ref().map(|path| read(path)).transpose()?;
        let (variables, unknown_environment) = from_environment(environment.into_iter());
        let values = Values::new(&self.flags, &variables, path.as_deref().zip(file.as_ref()));
        Ok(Loaded { config: Config::read(&values)?, values, unknown_environment })
    }
}

fn read(path: &PathBuf) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: path.clone(), cause })?;
    from_file(&text)
}

impl Args for SettingArguments {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config").long("config").value_name("FILE").help("Configuration file (TOML); also TIDEGATE_CONFIG");
        SETTINGS.iter().filter_map(argument).fold(command.arg(file), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The same settings for commands that run beside the server, on its machine: what they do not need stays out of their help.
#[derive(Clone, Debug, Default)]
pub(crate) struct MachineArguments(SettingArguments);

impl MachineArguments {
    /// The server's own settings.
    pub(crate) fn load(&self, environment: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
        Ok(self.load_all(environment)?.config)
    }

    /// The same, with what there is to warn of.
    pub(crate) fn load_all(&self, environment: impl Iterator<Item = (String, String)>) -> Result<Loaded, ConfigError> {
        self.0.load(environment)
    }
}

impl Args for MachineArguments {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config").long("config").value_name("FILE").help("The server's configuration file; also TIDEGATE_CONFIG");
        let hidden = |setting: &'static Setting| Some(argument(setting)?.hide(setting.key != "data_dir"));
        SETTINGS.iter().filter_map(hidden).fold(command.arg(file), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for MachineArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        SettingArguments::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

fn argument(setting: &'static Setting) -> Option<Arg> {
    let help = match setting.default {
        "" => format!("{} [env: {}]", setting.help, setting.environment()),
        default => format!("{} [env: {}] [default: {default}]", setting.help, setting.environment()),
    };
    let action = if setting.is_list() { ArgAction::Append } else { ArgAction::Set };
    Some(Arg::new(setting.key).long(setting.flag()?).value_name(value_name(setting)).help(help).action(action))
}

fn value_name(setting: &Setting) -> String {
    setting.key.rsplit(['.', '_']).next().unwrap_or(setting.key).to_ascii_uppercase()
}

impl FromArgMatches for SettingArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut this = Self::default();
        this.update_from_arg_matches(matches)?;
        Ok(this)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<String>("config").map(PathBuf::from);
        for setting in SETTINGS.iter().filter(|setting| !setting.secret) {
            if let Some(given) = matches.get_many::<String>(setting.key) {
                self.flags.insert(setting.key, given.flat_map(|text| split(setting, text)).collect());
            }
        }
        Ok(())
    }
}
