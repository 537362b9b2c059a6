//! How two clauses relate, whatever the request. A yes is always right; a no can mean that it was not seen.

use super::{Clause, Operand, Relation, Value};
use crate::meet::Budget;

impl Clause {
    /// Does `other` hold whenever this one does?
    pub(crate) fn implies(&self, other: &Self) -> bool {
        let (mine, others) = (self.operator, other.operator);
        self.key == other.key
            && mine.family == others.family
            && mine.negated == others.negated
            && if mine.negated { other.lies_in(self) } else { self.lies_in(other) }
    }

    /// Is there no request in which both hold?
    pub(crate) fn excludes(&self, other: &Self, budget: &Budget) -> bool {
        if self.key != other.key || self.operator.family != other.operator.family {
            return false;
        }
        match (self.operator.negated, other.operator.negated) {
            (false, true) => self.lies_in(other),
            (true, false) => other.lies_in(self),
            (false, false) => self.values.iter().all(|mine| {
                other.values.iter().all(|others| mine.is_apart(self.operator.relation, others, other.operator.relation, budget))
            }),
            (true, true) => false,
        }
    }

    /// Does every fact that meets one of these values meet one of the other's?
    fn lies_in(&self, other: &Self) -> bool {
        let (mine, others) = (self.operator.relation, other.operator.relation);
        self.values.iter().all(|value| other.values.iter().any(|wide| value.lies_in(mine, wide, others)))
    }
}

impl Value {
    /// Does every fact that meets this value meet `wide`?
    fn lies_in(&self, relation: Relation, wide: &Self, wides: Relation) -> bool {
        match (&self.operand, &wide.operand) {
            (Operand::Text, Operand::Text) => self.text == wide.text,
            (Operand::Text, Operand::Lowercase(lowercase)) => self.text.to_lowercase() == **lowercase,
            (Operand::Text, Operand::Like(pattern)) => pattern.matches(&self.text),
            (Operand::Lowercase(one), Operand::Lowercase(other)) => one == other,
            (Operand::Like(one), Operand::Like(other)) => other.contains(one),
            (Operand::Number(one), Operand::Number(other)) => relation.lies_in(one, wides, other),
            (Operand::Time(one), Operand::Time(other)) => relation.lies_in(one, wides, other),
            (Operand::Bool(one), Operand::Bool(other)) => one == other,
            (Operand::Within(one), Operand::Within(other)) => other.contains(one),
            _ => false,
        }
    }

    /// Does no fact meet both?
    fn is_apart(&self, relation: Relation, other: &Self, others: Relation, budget: &Budget) -> bool {
        match (&self.operand, &other.operand) {
            (Operand::Text, Operand::Text) => self.text != other.text,
            (Operand::Text, Operand::Like(pattern)) => !pattern.matches(&self.text),
            (Operand::Like(pattern), Operand::Text) => !pattern.matches(&other.text),
            (Operand::Lowercase(one), Operand::Lowercase(two)) => one != two,
            (Operand::Like(one), Operand::Like(two)) => !one.meets(two, budget),
            (Operand::Number(one), Operand::Number(two)) => relation.is_apart(one, others, two),
            (Operand::Time(one), Operand::Time(two)) => relation.is_apart(one, others, two),
            (Operand::Bool(one), Operand::Bool(two)) => one != two,
            (Operand::Within(one), Operand::Within(two)) => !one.contains(two) && !two.contains(one),
            _ => false,
        }
    }
}

impl Relation {
    /// Does every fact that stands in this relation to `value` stand in `wide` to `bound`?
    fn lies_in<T: PartialOrd>(self, value: &T, wide: Self, bound: &T) -> bool {
        use Relation::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        match (self, wide) {
            (Equal, _) => wide.orders(value, bound),
            (LessOrEqual, Less) => value < bound,
            (Less | LessOrEqual, Less | LessOrEqual) => value <= bound,
            (GreaterOrEqual, Greater) => value > bound,
            (Greater | GreaterOrEqual, Greater | GreaterOrEqual) => value >= bound,
            _ => false,
        }
    }

    /// Does no fact stand in this relation to `value` and in the other to `bound`?
    fn is_apart<T: PartialOrd>(self, value: &T, other: Self, bound: &T) -> bool {
        use Relation::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        match (self, other) {
            (Equal, _) => !other.orders(value, bound),
            (_, Equal) => !self.orders(bound, value),
            (LessOrEqual, GreaterOrEqual) => value < bound,
            (Less | LessOrEqual, Greater | GreaterOrEqual) => value <= bound,
            (GreaterOrEqual, LessOrEqual) => value > bound,
            (Greater | GreaterOrEqual, Less | LessOrEqual) => value >= bound,
            _ => false,
        }
    }
}
