//! The database's server, and how statements reach it.

use super::finding::{Finding, Read, Unread, or_fine};

/// The oldest release that this one is tried with, as PostgreSQL numbers them.
const OLDEST: i32 = 150_000;

/// What the server says of itself.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its version in words.
    pub version: String,
    /// The same as a number, such as 150004.
    pub number: i32,
    /// Whether it takes no writes.
    pub read_only: bool,
    /// How it keeps characters, such as `UTF8`.
    pub encoding: String,
    /// How many connections it allows in all.
    pub max_connections: i32,
    /// Settings of the database that `migrate` makes and that are not in force for this role.
    pub unset: Vec<String>,
}

/// How statements are sent, and through what.
#[derive(Clone, Copy, Debug)]
pub struct Statements {
    /// Whether they are prepared once per connection.
    pub prepared: bool,
    /// Whether transactions of one connection end up in several sessions of the server.
    pub pooled: bool,
}

/// Judges the server.
#[must_use]
pub fn judge(server: &Read<Server>) -> Vec<Finding> {
    const REMEDY: &str =
        "see that the server runs, and that DATABASE_URL names it, the database, the role and the password";
    let server = match server {
        Ok(server) => server,
        Err(unread @ Unread::NotConfigured(_)) => return vec![unread.finding()],
        Err(unread) => return vec![Finding::wrong("database_unreached", unread.why(), REMEDY)],
    };
    let mut findings = Vec::new();
    if server.read_only {
        findings.push(Finding::wrong(
            "database_read_only",
            "it takes no writes: a standby, failing over, or default_transaction_read_only is on",
            "let DATABASE_URL lead to the primary",
        ));
    }
    if server.encoding != "UTF8" {
        findings.push(Finding::wrong(
            "database_encoding",
            format!("its encoding is {}, in which letters are not counted and compared as people do", server.encoding),
            "make another by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and bring a backup back into it",
        ));
    }
    if server.number < OLDEST {
        findings.push(Finding::warning(
            "database_old",
            format!("PostgreSQL {} is older than 15, which this release is tried with", server.version),
            "upgrade the server",
        ));
    }
    if !server.unset.is_empty() {
        findings.push(Finding::warning(
            "database_settings",
            format!("the database's own settings are not in force: {}", server.unset.join(", ")),
            "run `field-service migrate`, which sets them or says what the database's owner has to run: a dump does not have them",
        ));
    }
    or_fine(findings, || format!("PostgreSQL {} answers and takes writes", server.version))
}

/// Judges how statements are sent.
#[must_use]
pub fn judge_statements(Statements { prepared, pooled }: &Statements) -> Vec<Finding> {
    vec![match (prepared, pooled) {
        (true, true) => Finding::wrong(
            "pooler",
            "statements are prepared, and a pooler gives each transaction another session of the server, which may not know them",
            "set DATABASE_STATEMENTS=unnamed",
        ),
        (true, false) => Finding::fine("prepared, over sessions of the server's own"),
        (false, true) => Finding::fine("unnamed, as a pooler in transaction mode needs them"),
        (false, false) => {
            Finding::fine("unnamed, although no pooler was noticed: `prepared` saves a round trip per tap")
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(server: &Read<Server>) -> Vec<&'static str> {
        judge(server).iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_server_is_judged_by_what_it_says() {
        let sound = Server {
            version: "15.4".to_owned(),
            number: 150_004,
            read_only: false,
            encoding: "UTF8".to_owned(),
            max_connections: 100,
            unset: Vec::new(),
        };
        assert_eq!(codes(&Ok(sound.clone())), ["ok"]);
        let encoding = "SQL_ASCII".to_owned();
        let odd = Server { number: 140_011, read_only: true, encoding, unset: vec!["jit".to_owned()], ..sound };
        assert_eq!(codes(&Ok(odd)), ["database_read_only", "database_encoding", "database_old", "database_settings"]);
        assert_eq!(codes(&Err(Unread::Failed("refused".to_owned()))), ["database_unreached"]);
        assert_eq!(codes(&Err(Unread::NotConfigured("DATABASE_URL"))), ["not_checked"]);
    }

    #[test]
    fn prepared_statements_and_a_pooler_do_not_go_together() {
        let code = |prepared, pooled| judge_statements(&Statements { prepared, pooled })[0].code;
        assert_eq!(
            [code(true, true), code(true, false), code(false, true), code(false, false)],
            ["pooler", "ok", "ok", "ok"]
        );
    }
}
