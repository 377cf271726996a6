//! The database: one that is there, or one of its own in a folder.

use std::path::Path;

use tokio::task::block_in_place;

use super::console::{Question, Talk};
use super::{Error, Given};
use crate::cluster::Kept;
use crate::config::{DATABASE_FOLDER, Database, Lookup};
use crate::store::migrate::{self, Prospect};

/// Where a database of its own is, unless something else is said.
const FOLDER: &str = "./field-service-data";

/// The oldest PostgreSQL whose statements these are, as `server_version_num` has it.
const OLDEST: i32 = 140_000;

/// A database that is reached and can be used.
pub(super) struct Chosen {
    /// As `DATABASE_URL` says it.
    pub(super) url: String,
    pub(super) config: Database,
    /// How many of this release's migrations it lacks; nothing, if it has none of them.
    pub(super) behind: usize,
    /// The server, if it is one of its own.
    pub(super) kept: Option<Kept>,
}

pub(super) async fn choose(
    talk: &mut Talk<'_>,
    given: &Given,
    known: &impl Fn(&str) -> Option<String>,
    lookup: Lookup<'_>,
) -> Result<Chosen, Error> {
    let folder = given.data_folder.as_deref().map(|folder| folder.display().to_string());
    let flag = if folder.is_some() { "--data-folder" } else { "--database-url, or --data-folder," };
    let there = known(DATABASE_FOLDER).or_else(|| known("DATABASE_URL"));
    // A URL has a password in it.
    let shown = if there.is_some() { "the one that is there" } else { FOLDER };
    let usual = there.or_else(|| talk.can_ask().then(|| FOLDER.to_owned())).map(|usual| (usual, shown));
    let question = Question {
        text: "Database: postgresql://… of a PostgreSQL that is there, or a folder for one of its own:",
        flag,
        given: given.database_url.clone().or(folder),
        usual,
    };
    let chosen = talk.settle(question, async |answer: &str| check(answer, lookup).await).await?;
    match &chosen.kept {
        Some(kept) => talk.say(&format!("  A PostgreSQL of its own is in {}.", kept.folder().display()))?,
        None => talk.say("  The database is reached, and can be used.")?,
    }
    Ok(chosen)
}

/// Whether an answer is a connection string, and not a folder.
fn is_url(answer: &str) -> bool {
    answer.contains("://") || answer.contains('=')
}

async fn check(answer: &str, lookup: Lookup<'_>) -> Result<Chosen, String> {
    let (url, kept) = if is_url(answer) {
        (answer.to_owned(), None)
    } else if answer.is_empty() {
        return Err("a URL, or a folder?".to_owned());
    } else {
        let kept = block_in_place(|| Kept::make(Path::new(answer))).map_err(|error| error.to_string())?;
        (kept.database_url(), Some(kept))
    };
    let of_url = |name: &str| if name == "DATABASE_URL" { Some(url.clone()) } else { lookup(name) };
    let config = Database::from_env(&of_url).map_err(|error| error.to_string())?;
    let prospect = migrate::look(&config).await.map_err(|error| error.to_string())?;
    match unfit(&prospect) {
        Some(why) => Err(why),
        None => Ok(Chosen { url, config, behind: prospect.behind, kept }),
    }
}

/// Why a database cannot be used.
fn unfit(prospect: &Prospect) -> Option<String> {
    if prospect.version_number < OLDEST {
        Some(format!("that is PostgreSQL {}: expected {} or newer", prospect.version, OLDEST / 10_000))
    } else if !prospect.is_ours && prospect.tables > 0 {
        Some(format!("there are {} tables of something else in it: expected an empty database", prospect.tables))
    } else if !prospect.may_create {
        Some(
            "this role may not make tables there: its owner lets it by GRANT CREATE ON DATABASE … TO …; GRANT CREATE ON \
             SCHEMA public TO …"
                .to_owned(),
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_refused_in_words() {
        let fit = Prospect {
            version: "15.3".to_owned(),
            version_number: 150_003,
            may_create: true,
            is_ours: false,
            behind: 0,
            tables: 0,
        };
        assert_eq!(unfit(&fit), None);
        assert_eq!(unfit(&Prospect { is_ours: true, tables: 40, ..fit.clone() }), None);
        for (unfit_one, word) in [
            (Prospect { version: "9.6".to_owned(), version_number: 90_600, ..fit.clone() }, "9.6"),
            (Prospect { tables: 3, ..fit.clone() }, "3 tables"),
            (Prospect { may_create: false, ..fit }, "GRANT"),
        ] {
            assert!(unfit(&unfit_one).is_some_and(|why| why.contains(word)), "{unfit_one:?}");
        }
    }

    #[test]
    fn a_folder_is_no_url() {
        assert!(is_url("postgresql://a@b/c") && is_url("host=/tmp dbname=x"));
        assert!(!is_url("./field-service-data") && !is_url("/srv/data"));
    }
}
