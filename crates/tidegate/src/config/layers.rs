//! Flag over environment over file over default: the value of each setting and where it comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::table::{SETTINGS, Setting, Shape, find, is_reserved};
use super::{ConfigError, network};

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    Flag(String),
    Environment(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "--{flag}"),
            Self::Environment(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value as written, list or not; empty: not set.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) values: Vec<String>,
    pub(crate) origin: Origin,
}

/// What was written in one place, by key.
pub(crate) type Layer = BTreeMap<&'static str, Vec<String>>;

/// The effective value of every setting.
#[derive(Clone)]
pub(crate) struct Values(BTreeMap<&'static str, Given>);

impl Values {
    /// Lays the layers over one another.
    pub(crate) fn new(flags: &Layer, environment: &Layer, file: Option<(&Path, &Layer)>) -> Self {
        let pick = |setting: &Setting| {
            let key = setting.key;
            if let Some(values) = flags.get(key) {
                return Given { values: values.clone(), origin: Origin::Flag(setting.flag().unwrap_or_default()) };
            }
            if let Some(values) = environment.get(key) {
                return Given { values: values.clone(), origin: Origin::Environment(setting.environment()) };
            }
            if let Some((path, values)) = file.and_then(|(path, layer)| Some((path, layer.get(key)?))) {
                return Given { values: values.clone(), origin: Origin::File(path.to_owned()) };
            }
            Given { values: split(setting, setting.default), origin: Origin::Default }
        };
        Self(SETTINGS.iter().map(|setting| (setting.key, pick(setting))).collect())
    }

    /// The value of a key of the table.
    pub(crate) fn get(&self, key: &str) -> Option<&Given> {
        self.0.get(key)
    }
}

/// One text into the values of a setting: a list is separated by commas. Nothing is no value.
pub(crate) fn split(setting: &Setting, text: &str) -> Vec<String> {
    match setting.shape {
        _ if text.trim().is_empty() => Vec::new(),
        Shape::One => vec![text.to_owned()],
        Shape::Many | Shape::Tables => text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect(),
    }
}

/// The layer of the environment, and the names of ours that nobody knows.
pub(crate) fn from_environment(variables: impl Iterator<Item = (String, String)>) -> (Layer, Vec<String>) {
    let (mut layer, mut unknown) = (Layer::new(), Vec::new());
    for (name, value) in variables.filter(|(name, _)| name.starts_with("TIDEGATE_") && !is_reserved(name)) {
        match SETTINGS.iter().find(|s| s.environment() == name) {
            Some(setting) => {
                layer.insert(setting.key, split(setting, &value));
            }
            None => unknown.push(name),
        }
    }
    (layer, unknown)
}

/// The layer of the file. Its text is never repeated in an error: it may hold secrets.
pub(crate) fn from_file(text: &str) -> Result<Layer, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
        line: error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1),
        message: error.message().to_owned(),
    })?;
    let mut layer = Layer::new();
    flatten("", &table, &mut layer)?;
    Ok(layer)
}

fn flatten(prefix: &str, table: &toml::Table, layer: &mut Layer) -> Result<(), ConfigError> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match (find(&key), value) {
            (Some(setting), value) => {
                layer.insert(setting.key, written(setting, value)?);
            }
            (None, toml::Value::Table(inner)) if SETTINGS.iter().any(|s| s.key.starts_with(&format!("{key}."))) => {
                flatten(&key, inner, layer)?;
            }
            (None, _) => return Err(ConfigError::unknown(&key)),
        }
    }
    Ok(())
}

fn written(setting: &Setting, value: &toml::Value) -> Result<Vec<String>, ConfigError> {
    let wrong = || ConfigError::WrongShape { key: setting.key, takes: setting.takes };
    match value {
        toml::Value::Array(items) if setting.shape == Shape::Tables => items.iter().map(|item| network::written(setting, item)).collect(),
        toml::Value::Array(items) if setting.shape == Shape::Many => items.iter().map(|item| scalar(item).ok_or_else(wrong)).collect(),
        other => scalar(other).map(|text| split(setting, &text)).ok_or_else(wrong),
    }
}

pub(super) fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    }
}
