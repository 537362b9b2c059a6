//! The parameters of a request, from its query and its form body together, and the types that handlers read them as.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value as Json;

use crate::errors::{Fault, Problem};

/// Bytes of a name, bytes of a value. (How many there are, `signing` bounds.)
const LONGEST_NAME: usize = 128;
const LONGEST_VALUE: usize = 256 * 1024;
/// Elements of a list.
const MOST_ELEMENTS: usize = 100;

/// Names with values, each name once. `Debug` shows no value: secrets travel there.
#[derive(Clone, Default)]
pub(crate) struct Parameters {
    all: BTreeMap<String, String>,
}

/// A member of a list of objects.
pub(crate) type Member = BTreeMap<String, String>;

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

impl Parameters {
    /// Those of a request. What V1 signs along with them for itself is not among them.
    pub(crate) fn of(all: &signing::Params<'_>) -> Result<Self, Problem> {
        let mut kept = BTreeMap::new();
        for param in all.iter() {
            if param.name.len() > LONGEST_NAME || param.value.len() > LONGEST_VALUE {
                return Err(Problem::malformed("a parameter's name or value is too long"));
            }
            kept.insert(param.name.to_string(), param.value.to_string());
        }
        Ok(Self { all: kept })
    }

    /// A parameter as it was sent, be it empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.all.get(name).map(String::as_str)
    }

    /// A parameter that is not empty.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Problem> {
        self.optional(name).ok_or_else(|| Problem::missing(name))
    }

    /// Is there something of this name: a value, or an element of a list?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.optional(name).is_some() || self.elements(name).next().is_some()
    }

    /// A truth value in any case: Python sends `True`.
    pub(crate) fn boolean(&self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.optional(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(Problem::invalid(name, Fault::Format, "true or false")),
        }
    }

    /// A whole number in these bounds.
    pub(crate) fn integer(&self, name: &'static str, bounds: RangeInclusive<i64>) -> Result<Option<i64>, Problem> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let digits = text.len() <= 19 && text.bytes().enumerate().all(|(at, b)| b.is_ascii_digit() || (at == 0 && b == b'-'));
        let number = text.parse().ok().filter(|number| digits && bounds.contains(number));
        let wanted = || format!("a whole number from {} to {}", bounds.start(), bounds.end());
        number.map(Some).ok_or_else(|| Problem::invalid(name, Fault::Format, wanted()))
    }

    /// One of these words, in any case; as the list spells it.
    pub(crate) fn word(&self, name: &'static str, words: &[&'static str]) -> Result<Option<&'static str>, Problem> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(text)).copied();
        found.map(Some).ok_or_else(|| Problem::invalid(name, Fault::Format, format!("one of {}", words.join(", "))))
    }

    /// A JSON document.
    pub(crate) fn json(&self, name: &'static str) -> Result<Option<Json>, Problem> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|_| Problem::invalid(name, Fault::Format, "a JSON document"))
    }

    /// A list of objects: `Name.1.Key=a&Name.1.Value=b`, or one JSON list.
    pub(crate) fn members(&self, name: &'static str) -> Result<Vec<Member>, Problem> {
        let wrong = || Problem::invalid(name, Fault::Format, format!("a list of at most {MOST_ELEMENTS} objects"));
        let found: Vec<Member> = if let Some(values) = self.json_list(name)? {
            values.iter().map(member).collect::<Option<_>>().ok_or_else(wrong)?
        } else {
            let mut members: BTreeMap<usize, Member> = BTreeMap::new();
            for (number, rest, value) in self.elements(name) {
                let key = rest.strip_prefix('.').ok_or_else(wrong)?;
                members.entry(number.ok_or_else(wrong)?).or_default().insert(key.to_owned(), value.to_owned());
            }
            members.into_values().collect()
        };
        if found.len() > MOST_ELEMENTS { Err(wrong()) } else { Ok(found) }
    }

    fn json_list(&self, name: &'static str) -> Result<Option<Vec<Json>>, Problem> {
        match self.json(name)? {
            None => Ok(None),
            Some(Json::Array(values)) => Ok(Some(values)),
            Some(_) => Err(Problem::invalid(name, Fault::Format, "a JSON list")),
        }
    }

    /// Number, the rest of the name, and value of each `Name.N…`.
    fn elements(&self, name: &str) -> impl Iterator<Item = (Option<usize>, &str, &str)> {
        let from = format!("{name}.");
        let skip = from.len();
        self.all.range(from.clone()..).take_while(move |(key, _)| key.starts_with(&from)).map(move |(key, value)| {
            let tail = key.get(skip..).unwrap_or_default();
            let end = tail.find('.').unwrap_or(tail.len());
            let (number, rest) = tail.split_at_checked(end).unwrap_or((tail, ""));
            let number = number.parse().ok().filter(|n| (1..=1000).contains(n) && number.bytes().all(|b| b.is_ascii_digit()));
            (number, rest, value.as_str())
        })
    }
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(truth) => Some(truth.to_string()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn member(value: &Json) -> Option<Member> {
    let fields = value.as_object()?.iter().filter(|(_, value)| !value.is_null());
    fields.map(|(key, value)| Some((key.clone(), scalar(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Parameters {
        Parameters::of(&signing::Params::read(text, "").unwrap()).unwrap()
    }

    #[test]
    fn what_is_empty_is_not_there_unless_it_is_asked_for_as_sent() {
        let all = read("A=a+b%20c%2B&SignatureType=");
        assert_eq!((all.optional("A"), all.given("SignatureType"), all.optional("SignatureType")), (Some("a b c+"), Some(""), None));
        let long = format!("{}=1", "a".repeat(129));
        assert!(Parameters::of(&signing::Params::read(&long, "").unwrap()).is_err());
    }

    #[test]
    fn truth_values_and_numbers_are_read_as_clients_send_them() {
        let all = read("A=True&B=FALSE&C=1&D=30&E=-1&F=%2B5&G=99999999999999999999");
        assert_eq!((all.boolean("A").unwrap(), all.boolean("B").unwrap(), all.boolean("Z").unwrap()), (Some(true), Some(false), None));
        assert!(all.boolean("C").is_err());
        assert_eq!(all.integer("D", 1..=30).unwrap(), Some(30));
        for bad in ["E", "F", "G", "A"] {
            assert!(all.integer(bad, 1..=30).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_come_in_two_styles() {
        let both = [
            read("X.1.Key=k&X.1.Value=v&X.2.Key=l"),
            read("X=%5B%7B%22Key%22%3A%22k%22%2C%22Value%22%3A%22v%22%7D%2C%7B%22Key%22%3A%22l%22%7D%5D"),
        ];
        for all in &both {
            let members = all.members("X").unwrap();
            assert!(all.has("X"));
            assert_eq!((members.len(), members[0]["Value"].as_str(), members[1].get("Value")), (2, "v", None));
        }
        for bad in ["X.a.Key=1", "X.0.Key=1", "X.1=1", "X=1", "X=%7B%7D", "X=%5B%5B%5D%5D", "X=%5B"] {
            assert!(read(bad).members("X").is_err(), "{bad}");
        }
        assert!(read("Xy.1.Key=a").members("X").unwrap().is_empty());
        let many: Vec<_> = (1..=101).map(|n| format!("X.{n}.Key=a")).collect();
        assert!(read(&many.join("&")).members("X").is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", read("Password=secret")), r#"{"Password"}"#);
    }
}
