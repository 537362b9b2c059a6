//! JSON that keeps order and duplicate keys, and knows where each value stands.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::PolicyError;

/// A JSON value; of an object, every member in order, duplicates too.
#[derive(Debug)]
pub(super) enum Json {
    Null,
    Text(String),
    /// A bare boolean or number, as text.
    Scalar(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'j> {
    pub(super) json: &'j Json,
    path: String,
}

impl<'j> Node<'j> {
    pub(super) const fn root(json: &'j Json) -> Self {
        Self { json, path: String::new() }
    }

    /// The error that says what is wanted here.
    pub(super) fn wants(&self, wanted: impl Into<String>) -> PolicyError {
        let path = if self.path.is_empty() { "document".into() } else { self.path.clone() };
        PolicyError::At { path, wanted: wanted.into() }
    }

    /// The members of an object; none twice.
    pub(super) fn members(&self) -> Result<Vec<(&'j str, Self)>, PolicyError> {
        let Json::Object(members) = self.json else { return Err(self.wants("an object is wanted here")) };
        let mut found: Vec<(&str, Self)> = Vec::with_capacity(members.len());
        for (name, json) in members {
            let member = Self { json, path: self.path_to(name) };
            if found.iter().any(|(known, _)| known == name) {
                return Err(member.wants("this stands here twice; write it once"));
            }
            found.push((name, member));
        }
        Ok(found)
    }

    fn path_to(&self, name: &str) -> String {
        // Paths go into messages: a name that is no name is cut.
        let name: String = name.chars().take(64).collect();
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }

    /// The elements of a list that is not empty.
    pub(super) fn elements(&self) -> Result<Vec<Self>, PolicyError> {
        let Json::List(list) = self.json else { return Err(self.wants("a list is wanted here")) };
        if list.is_empty() {
            return Err(self.wants("this list is empty; at least one entry is wanted"));
        }
        Ok(list.iter().enumerate().map(|(index, json)| Self { json, path: format!("{}[{index}]", self.path) }).collect())
    }

    /// A bare value as a list of one, or the elements of a list.
    pub(super) fn one_or_more(&self) -> Result<Vec<Self>, PolicyError> {
        if let Json::List(_) = self.json { self.elements() } else { Ok(vec![self.clone()]) }
    }

    /// A string.
    pub(super) fn text(&self) -> Result<&'j str, PolicyError> {
        if let Json::Text(text) = self.json { Ok(text) } else { Err(self.wants("a string is wanted here")) }
    }

    /// A string, or a bare boolean or number as text.
    pub(super) fn scalar(&self) -> Result<&'j str, PolicyError> {
        match self.json {
            Json::Text(text) | Json::Scalar(text) => Ok(text),
            Json::Null | Json::List(_) | Json::Object(_) => Err(self.wants("a string, a number or a boolean is wanted here")),
        }
    }
}
