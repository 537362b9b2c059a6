//! Conditions: operators, values, and when they hold.
//!
//! Values of one key are alternatives; keys and operators must all hold. A negated operator holds when none of its values
//! matches. A key without a fact makes positive operators false and negated ones true; so does a fact that cannot be read as
//! what the operator compares.

mod implication;

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use model::Timestamp;

use crate::context::{read_bool, read_number};
use crate::{Context, Fact, Key, Pattern};

/// What an operator compares, and what a key's fact is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Text.
    Text,
    /// Numbers, 64-bit floating point.
    Number,
    /// Moments, to the millisecond.
    Time,
    /// Yes or no.
    Bool,
    /// IP addresses.
    Address,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Equal,
    EqualIgnoringCase,
    Like,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Within,
}

/// A condition operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operator {
    name: &'static str,
    family: Family,
    relation: Relation,
    negated: bool,
}

const fn is(name: &'static str, family: Family, relation: Relation) -> Operator {
    Operator { name, family, relation, negated: false }
}

const fn not(name: &'static str, family: Family, relation: Relation) -> Operator {
    Operator { name, family, relation, negated: true }
}

impl Operator {
    /// All of RAM's operators.
    pub const ALL: [Self; 21] = [
        is("StringEquals", Family::Text, Relation::Equal),
        not("StringNotEquals", Family::Text, Relation::Equal),
        is("StringEqualsIgnoreCase", Family::Text, Relation::EqualIgnoringCase),
        not("StringNotEqualsIgnoreCase", Family::Text, Relation::EqualIgnoringCase),
        is("StringLike", Family::Text, Relation::Like),
        not("StringNotLike", Family::Text, Relation::Like),
        is("NumericEquals", Family::Number, Relation::Equal),
        not("NumericNotEquals", Family::Number, Relation::Equal),
        is("NumericLessThan", Family::Number, Relation::Less),
        is("NumericLessThanEquals", Family::Number, Relation::LessOrEqual),
        is("NumericGreaterThan", Family::Number, Relation::Greater),
        is("NumericGreaterThanEquals", Family::Number, Relation::GreaterOrEqual),
        is("DateEquals", Family::Time, Relation::Equal),
        not("DateNotEquals", Family::Time, Relation::Equal),
        is("DateLessThan", Family::Time, Relation::Less),
        is("DateLessThanEquals", Family::Time, Relation::LessOrEqual),
        is("DateGreaterThan", Family::Time, Relation::Greater),
        is("DateGreaterThanEquals", Family::Time, Relation::GreaterOrEqual),
        is("Bool", Family::Bool, Relation::Equal),
        is("IpAddress", Family::Address, Relation::Within),
        not("NotIpAddress", Family::Address, Relation::Within),
    ];

    /// Finds an operator by RAM's name, case-sensitive.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name == name)
    }

    /// RAM's name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Can it ask about this key? Text can be asked for anything, anything can be asked as text; but an operator that
    /// compares addresses to a moment would never hold, and a denial under it would be none.
    pub fn suits(self, key: &Key) -> bool {
        let family = key.family();
        self.family == Family::Text || family == Family::Text || family == self.family
    }
}

impl Family {
    /// What values of it look like.
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a string of at most 512 characters",
            Self::Number => "a finite decimal number, as 5 or \"2.5\"",
            Self::Time => "a time with its offset from UTC (RFC 3339), as 2026-01-31T08:00:00Z or 2026-01-31T16:00:00+08:00",
            Self::Bool => "true or false",
            Self::Address => "an IP address or a CIDR block, as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32",
        }
    }
}

/// A value that a fact is compared to.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    text: Box<str>,
    operand: Operand,
}

#[derive(Clone, PartialEq, Debug)]
enum Operand {
    Text,
    Lowercase(Box<str>),
    Like(Pattern),
    Number(f64),
    Time(Timestamp),
    Bool(bool),
    Within(IpNet),
}

impl Value {
    /// The longest value, in characters.
    pub const MAX: usize = 512;

    /// Reads a value for an operator; the error says what is wanted.
    pub fn parse(operator: Operator, text: &str) -> Result<Self, &'static str> {
        let operand = if text.chars().count() > Self::MAX { None } else { Operand::parse(operator, text) };
        operand.map(|operand| Self { text: text.into(), operand }).ok_or(operator.family.wanted())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does the fact stand in the relation to this value?
    fn meets(&self, relation: Relation, fact: Fact<'_>) -> bool {
        match &self.operand {
            Operand::Text => *fact.text() == *self.text,
            Operand::Lowercase(text) => fact.text().to_lowercase() == **text,
            Operand::Like(pattern) => pattern.matches(&fact.text()),
            Operand::Number(number) => fact.number().is_some_and(|fact| relation.orders(&fact, number)),
            Operand::Time(time) => fact.time().is_some_and(|fact| relation.orders(&fact, time)),
            Operand::Bool(yes) => fact.bool() == Some(*yes),
            Operand::Within(block) => fact.address().is_some_and(|address| block.contains(&address)),
        }
    }
}

impl Operand {
    fn parse(operator: Operator, text: &str) -> Option<Self> {
        match (operator.family, operator.relation) {
            (Family::Text, Relation::EqualIgnoringCase) => Some(Self::Lowercase(text.to_lowercase().into())),
            (Family::Text, Relation::Like) => Some(Self::Like(Pattern::new(text))),
            (Family::Text, _) => Some(Self::Text),
            (Family::Number, _) => read_number(text).map(Self::Number),
            (Family::Time, _) => Timestamp::parse(text).map(Self::Time),
            (Family::Bool, _) => read_bool(text).map(Self::Bool),
            (Family::Address, _) => read_block(text).map(Self::Within),
        }
    }
}

impl Relation {
    fn orders<T: PartialOrd>(self, fact: &T, value: &T) -> bool {
        fact.partial_cmp(value).is_some_and(|order| match self {
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
            Self::Equal | Self::EqualIgnoringCase | Self::Like | Self::Within => order == Ordering::Equal,
        })
    }
}

/// A CIDR block or a bare address. Blocks of IPv4 addresses mapped into IPv6 are the IPv4 blocks they stand for; any other
/// IPv6 block (`::/0` too) holds IPv6 addresses alone, as `0.0.0.0/0` holds IPv4 alone.
fn read_block(text: &str) -> Option<IpNet> {
    let block = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    match block {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match Ipv6Addr::to_ipv4_mapped(&v6.addr()) {
            Some(v4) => Ipv4Net::new(v4, v6.prefix_len() - 96).ok().map(IpNet::V4),
            None => Some(block),
        },
        _ => Some(block),
    }
}

/// One key under one operator.
#[derive(Clone, PartialEq, Debug)]
pub struct Clause {
    /// The operator.
    pub operator: Operator,
    /// What it asks about.
    pub key: Key,
    /// The alternatives; never empty.
    pub values: Vec<Value>,
}

impl Clause {
    /// Does it hold for this fact, or for there being none?
    pub fn holds(&self, fact: Option<Fact<'_>>) -> bool {
        let met = fact.is_some_and(|fact| self.values.iter().any(|value| value.meets(self.operator.relation, fact)));
        met != self.operator.negated
    }

    /// That it does not hold, and what the request has instead, in words.
    pub(crate) fn describe(&self, context: &Context) -> String {
        let fact = context.get(&self.key).map_or_else(|| "has none".into(), |fact| format!("has {}", fact.text()));
        format!("condition {} on {} does not hold: the request {fact}", self.operator.name(), self.key)
    }
}
