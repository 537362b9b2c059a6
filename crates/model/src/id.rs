//! Ids. Numeric ids name accounts and principals on every cloud; object ids name what accounts own.

use std::fmt;
use std::str::FromStr;

/// Why a text is no id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an id of this kind")]
pub struct IdError;

/// The lowest numeric id: sixteen digits, so that account and user ids look as they do at the clouds.
const NUMERIC_MIN: i64 = 1_000_000_000_000_000;
const NUMERIC_SPAN: u64 = 9_000_000_000_000_000;

macro_rules! numeric_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(i64);

        impl $name {
            /// From random bits.
            pub const fn from_random(bits: u64) -> Self {
                Self(NUMERIC_MIN + (bits % NUMERIC_SPAN).cast_signed())
            }

            /// From its stored form.
            pub const fn from_i64(id: i64) -> Self {
                Self(id)
            }

            /// Its stored form.
            pub const fn as_i64(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit());
                text.parse().ok().filter(|id| digits && *id >= NUMERIC_MIN).map(Self).ok_or(IdError)
            }
        }
    };
}

numeric_id!(
    /// An account: the tenant that owns everything. Sixteen digits.
    AccountId
);
numeric_id!(
    /// A principal: root user, user, service account, group, role, admin user. Sixteen digits. The root user's id is its account's.
    PrincipalId
);

impl AccountId {
    /// The account's root user, whose id is the account's own.
    pub const fn root(self) -> PrincipalId {
        PrincipalId(self.0)
    }
}

/// Sixteen lower-case hex digits of a 63-bit random number: what stands behind the prefix of an object's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectId(i64);

impl ObjectId {
    /// From random bits.
    pub const fn from_random(bits: u64) -> Self {
        Self((bits >> 1).cast_signed())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for ObjectId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let lower = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        i64::from_str_radix(text, 16).ok().filter(|_| lower).map(Self).ok_or(IdError)
    }
}

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(ObjectId);

        impl $name {
            /// From random bits.
            pub const fn from_random(bits: u64) -> Self {
                Self(ObjectId::from_random(bits))
            }

            /// From its stored form.
            pub const fn from_i64(id: i64) -> Self {
                Self(ObjectId(id))
            }

            /// Its stored form.
            pub const fn as_i64(self) -> i64 {
                self.0.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix).ok_or(IdError)?.parse().map(Self)
            }
        }
    };
}

object_id!(
    /// An instance: one registry with its own host name. `cri-…`.
    InstanceId, "cri-"
);
object_id!(
    /// A namespace of an instance. `crn-…`.
    NamespaceId, "crn-"
);
object_id!(
    /// A repository of a namespace. `crr-…`.
    RepositoryId, "crr-"
);
object_id!(
    /// A credential of any kind. `cred-…`.
    CredentialId, "cred-"
);
object_id!(
    /// A policy. `pol-…`.
    PolicyId, "pol-"
);
object_id!(
    /// An OIDC provider that roles trust. `idp-…`.
    ProviderId, "idp-"
);
object_id!(
    /// An integration: what credentials were made for. `int-…`.
    IntegrationId, "int-"
);
object_id!(
    /// A rule of a namespace: which tags are immutable. `itr-…`.
    TagRuleId, "itr-"
);
object_id!(
    /// An upload that is under way; also the storage key of what it uploads.
    UploadId, "upl-"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_what_they_read() {
        let id = InstanceId::from_random(u64::MAX);
        assert_eq!(id.to_string(), "cri-7fffffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("cri-7FFFFFFFFFFFFFFF".parse::<InstanceId>(), Err(IdError));
        assert_eq!("crr-7fffffffffffffff".parse::<InstanceId>(), Err(IdError));
        assert_eq!("cri-ffffffffffffffff".parse::<InstanceId>(), Err(IdError));
        assert_eq!("cri-+ffffffffffffff".parse::<InstanceId>(), Err(IdError));
    }

    #[test]
    fn numeric_ids_have_sixteen_digits() {
        for bits in [0, 1, u64::MAX] {
            let id = PrincipalId::from_random(bits);
            assert_eq!(id.to_string().len(), 16);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!("1".parse::<AccountId>(), Err(IdError));
    }
}
