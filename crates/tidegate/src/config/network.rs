//! Named networks, in the file a table each: `[[network]]` with `name`, `cidrs`, `listen`; elsewhere the text `NAME=CIDR … @IP:PORT …`.

use std::net::SocketAddr;
use std::str::FromStr;

use access::{Cidr, NamedNetwork};
use model::NetworkName;

use super::ConfigError;
use super::layers::scalar;
use super::table::Setting;

/// The keys of a table.
const KEYS: [&str; 3] = ["network.name", "network.cidrs", "network.listen"];

/// A named network with its own listeners, if it has any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NetworkSetting {
    pub(crate) network: NamedNetwork,
    pub(crate) listen: Vec<SocketAddr>,
}

/// One item of the file's list as the text that stands for it elsewhere.
pub(super) fn written(setting: &Setting, item: &toml::Value) -> Result<String, ConfigError> {
    let wrong = || ConfigError::WrongShape { key: setting.key, takes: setting.takes };
    let Some(table) = item.as_table() else { return scalar(item).ok_or_else(wrong) };
    if let Some(key) = table.keys().map(|key| format!("network.{key}")).find(|key| !KEYS.contains(&&**key)) {
        return Err(ConfigError::UnknownKey { key, nearest: None });
    }
    let name = table.get("name").and_then(toml::Value::as_str).ok_or_else(wrong)?;
    let texts = |key: &str| match table.get(key) {
        None => Ok(Vec::new()),
        Some(toml::Value::Array(items)) => items.iter().map(|item| item.as_str().ok_or_else(wrong)).collect(),
        Some(one) => one.as_str().map(|one| vec![one]).ok_or_else(wrong),
    };
    let listen = texts("listen")?.into_iter().map(|address| format!("@{address}"));
    let parts: Vec<_> = texts("cidrs")?.into_iter().map(str::to_owned).chain(listen).collect();
    Ok(format!("{name}={}", parts.join(" ")))
}

impl FromStr for NetworkSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, parts) = text.split_once('=').ok_or("expected `NAME=CIDR … @IP:PORT …`")?;
        let name = NetworkName::parse(name.trim()).map_err(|error| error.to_string())?;
        let (listen, addresses): (Vec<_>, Vec<_>) = parts.split_whitespace().partition(|part| part.starts_with('@'));
        let addresses: Result<Vec<Cidr>, _> = addresses.into_iter().map(str::parse).collect();
        let listen: Result<Vec<SocketAddr>, _> = listen.into_iter().map(|part| part.trim_start_matches('@').parse()).collect();
        let (addresses, listen) = (addresses.map_err(|e| e.to_string())?, listen.map_err(|_| "expected `@IP:PORT`")?);
        Ok(Self { network: NamedNetwork { name, addresses, has_listener: !listen.is_empty() }, listen })
    }
}
