//! What the database's role may do.

use super::finding::{Finding, or_fine};

/// What the role may do.
#[derive(Clone, Debug)]
pub struct Rights {
    /// Its name.
    pub role: String,
    /// Whether it may use the schema at all.
    pub uses_schema: bool,
    /// The tables in which it may not read and change rows, each with what it may not.
    pub refused: Vec<(String, String)>,
    /// The sequences of which it may not take numbers.
    pub sequences: Vec<String>,
    /// The functions that it may not call.
    pub functions: Vec<String>,
    /// Whether it could apply a migration.
    pub migrates: bool,
}

/// Judges the rights.
#[must_use]
pub fn judge(Rights { role, uses_schema, refused, sequences, functions, migrates }: &Rights) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !uses_schema {
        findings.push(Finding::wrong(
            "schema_refused",
            format!("the role {role} may not use the schema public, and so nothing in it"),
            format!("GRANT USAGE ON SCHEMA public TO {role}"),
        ));
    }
    if !refused.is_empty() {
        let tables: Vec<_> = refused.iter().map(|(table, what)| format!("{table} ({what})")).collect();
        findings.push(Finding::wrong(
            "tables_refused",
            format!("serve, webhook and tick fail where the role {role} may not do this: {}", tables.join(", ")),
            format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
        ));
    }
    if !sequences.is_empty() {
        findings.push(Finding::warning(
            "sequences_refused",
            format!("the role {role} may not take numbers of {}, so `token create` fails", sequences.join(", ")),
            format!("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"),
        ));
    }
    if !functions.is_empty() {
        findings.push(Finding::wrong(
            "functions_refused",
            format!("the role {role} may not call {}", functions.join(", ")),
            format!("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}"),
        ));
    }
    let migrations = if *migrates { "and can migrate" } else { "migrations are another role's" };
    or_fine(findings, || format!("the role {role} may do what serve, webhook and tick do, {migrations}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_right_that_is_missing_is_said_with_its_statement() {
        let all = Rights {
            role: "app".to_owned(),
            uses_schema: true,
            refused: Vec::new(),
            sequences: Vec::new(),
            functions: Vec::new(),
            migrates: false,
        };
        assert_eq!(
            judge(&all),
            [Finding::fine("the role app may do what serve, webhook and tick do, migrations are another role's")]
        );
        let none = Rights {
            uses_schema: false,
            refused: vec![("orders".to_owned(), "INSERT, DELETE".to_owned())],
            sequences: vec!["staff_id_seq".to_owned()],
            functions: vec!["staff_right".to_owned()],
            ..all
        };
        let findings = judge(&none);
        assert_eq!(
            findings.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            ["schema_refused", "tables_refused", "sequences_refused", "functions_refused"]
        );
        assert!(findings[1].what.contains("orders (INSERT, DELETE)"), "{findings:?}");
    }
}
