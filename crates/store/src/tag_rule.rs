//! Rules of a namespace: which tags of which of its repositories are immutable.

use model::{Glob, ImmutableTags, NamespaceId, TagRuleId, Timestamp};

use crate::repository::immutable_tags;
use crate::{Row, StoreError, Tx, params};

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TagRule {
    /// Its id.
    pub id: TagRuleId,
    /// What it says.
    pub terms: Terms,
    /// Made when.
    pub created: Timestamp,
}

/// What a rule says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Of which repositories it speaks, by their names within the namespace.
    pub repositories: Glob,
    /// Save these.
    pub except_repositories: Option<Glob>,
    /// Which of their tags are immutable.
    pub tags: ImmutableTags,
    /// Is it in force?
    pub enabled: bool,
}

impl Terms {
    /// Does it speak of the repository that has this name within the namespace, and is it in force?
    pub fn speak_of(&self, repository: &str) -> bool {
        let excepted = self.except_repositories.as_ref().is_some_and(|except| except.matches(repository));
        self.enabled && !excepted && self.repositories.matches(repository)
    }
}

macro_rules! select_rule {
    ($rest:literal) => {
        concat!("SELECT id, repositories, except_repositories, tags, except_tags, enabled, created_ms FROM immutable_tag_rule ", $rest)
    };
}

fn rule(row: &Row) -> Result<TagRule, StoreError> {
    let corrupt = || StoreError::corrupt("immutable_tag_rule");
    let except: Option<String> = row.get(2)?;
    let terms = Terms {
        repositories: Glob::parse(&row.get::<String>(1)?).map_err(|_| corrupt())?,
        except_repositories: except.map(|text| Glob::parse(&text).map_err(|_| corrupt())).transpose()?,
        tags: immutable_tags(row, 3)?.ok_or_else(corrupt)?,
        enabled: row.get(5)?,
    };
    Ok(TagRule { id: TagRuleId::from_i64(row.get(0)?), terms, created: Timestamp::from_millis(row.get(6)?) })
}

/// A namespace's rules, oldest first. There are never many.
pub async fn list(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<Vec<TagRule>, StoreError> {
    let sql = select_rule!("WHERE namespace_id = $1 ORDER BY created_ms, id");
    tx.rows(sql, params![namespace.as_i64()]).await?.iter().map(rule).collect()
}

/// One of them.
pub async fn find(tx: &mut Tx<'_>, namespace: NamespaceId, id: TagRuleId) -> Result<Option<TagRule>, StoreError> {
    let sql = select_rule!("WHERE namespace_id = $1 AND id = $2");
    tx.row(sql, params![namespace.as_i64(), id.as_i64()]).await?.as_ref().map(rule).transpose()
}

/// Writes a new rule.
pub async fn insert(tx: &mut Tx<'_>, namespace: NamespaceId, rule: &TagRule) -> Result<(), StoreError> {
    let sql = "INSERT INTO immutable_tag_rule (id, namespace_id, repositories, except_repositories, tags, except_tags, enabled, created_ms) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let terms = &rule.terms;
    let values = params![
        rule.id.as_i64(),
        namespace.as_i64(),
        terms.repositories.as_str(),
        terms.except_repositories.as_ref().map(Glob::as_str),
        terms.tags.tags.as_str(),
        terms.tags.except.as_ref().map(Glob::as_str),
        terms.enabled,
        rule.created.millis()
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Changes what a rule says.
pub async fn update(tx: &mut Tx<'_>, id: TagRuleId, terms: &Terms) -> Result<(), StoreError> {
    let sql = "UPDATE immutable_tag_rule SET repositories = $1, except_repositories = $2, tags = $3, except_tags = $4, enabled = $5 \
               WHERE id = $6";
    let values = params![
        terms.repositories.as_str(),
        terms.except_repositories.as_ref().map(Glob::as_str),
        terms.tags.tags.as_str(),
        terms.tags.except.as_ref().map(Glob::as_str),
        terms.enabled,
        id.as_i64()
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Deletes a rule.
pub async fn delete(tx: &mut Tx<'_>, id: TagRuleId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM immutable_tag_rule WHERE id = $1", params![id.as_i64()]).await?;
    Ok(())
}

/// Deletes all rules of a namespace that is being deleted.
pub async fn delete_all(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM immutable_tag_rule WHERE namespace_id = $1", params![namespace.as_i64()]).await?;
    Ok(())
}
