//! The database: one that is there, or one of its own in a folder.

use std::path::{Path, PathBuf};

use tokio::task::block_in_place;

use super::console::{Question, Talk};
use super::{Error, Given};
use crate::cluster::{Cluster, Durability, Kept};
use crate::config::{DATABASE_FOLDER, Database, Lookup};
use crate::store::migrate;
use crate::store::{Clock, Store};

/// Where a database of its own is, unless something else is said.
const FOLDER: &str = "./field-service-data";
/// The same, as it is proposed.
const PROPOSED: &str = "one of its own in ./field-service-data";

/// A database that can be used, once it is made.
pub(super) struct Chosen {
    /// As `DATABASE_URL` says it.
    pub(super) url: String,
    pub(super) config: Database,
    /// How many of this release's migrations it lacks; nothing, if it has none of them.
    pub(super) behind: usize,
    /// Whether the tables are there.
    pub(super) is_migrated: bool,
    /// The server that answers questions now: the real one, or a temporary one of the same version if that is still to be made.
    answers: Database,
    server: Server,
}

/// Who runs it.
enum Server {
    /// Somebody else.
    Others,
    /// Ourselves, from that folder.
    Runs(Kept),
    /// Ourselves, once it is made in that folder. Until then a server of the same programs answers, which leaves nothing behind.
    ToBeMade(PathBuf, Cluster),
}

pub(super) async fn choose(
    talk: &mut Talk<'_>,
    given: &Given,
    known: &impl Fn(&str) -> Option<String>,
    lookup: Lookup<'_>,
) -> Result<Chosen, Error> {
    let folder = given.data_folder.as_deref().map(|folder| folder.display().to_string());
    let flag = if folder.is_some() { "--data-folder" } else { "--database-url" };
    let known_folder = known(DATABASE_FOLDER);
    let there = known_folder.clone().or_else(|| known("DATABASE_URL"));
    // A URL has a password in it.
    let shown = if there.is_some() { "the one that is there" } else { PROPOSED };
    let proposed = (there.is_none() && talk.can_ask()).then(|| FOLDER.to_owned());
    let folders: Vec<_> = [&folder, &known_folder, &proposed].into_iter().flatten().cloned().collect();
    let question = Question {
        text: "Database: postgresql://… of a PostgreSQL that is there, or Enter for",
        flag,
        given: given.database_url.clone().or(folder),
        usual: there.or(proposed).map(|usual| (usual, shown)),
        hidden: false,
    };
    let chosen = talk.settle(question, async |answer: &str| check(answer, &folders, lookup).await).await?;
    match &chosen.server {
        Server::Others => talk.say("  The database is reached, and can be used.")?,
        Server::Runs(kept) => talk.say(&format!("  A PostgreSQL of its own is in {}.", kept.folder().display()))?,
        Server::ToBeMade(folder, _) => {
            talk.say(&format!("  A PostgreSQL of its own can be made in {}.", folder.display()))?;
        }
    }
    Ok(chosen)
}

impl Chosen {
    /// A store to ask what the database will know: its time zones, and, with the tables, what is in them.
    pub(super) fn ask(&self) -> Result<Store, Error> {
        Ok(Store::new(&self.answers, 1, Clock::default()).map_err(migrate::Error::from)?)
    }

    /// The folder of a database of its own, from the root on.
    pub(super) fn folder(&self) -> Option<&Path> {
        match &self.server {
            Server::Others => None,
            Server::Runs(kept) => Some(kept.folder()),
            Server::ToBeMade(folder, _) => Some(folder),
        }
    }

    /// Makes it, unless it is there: the server, if it is one of its own.
    pub(super) fn make(self) -> Result<Option<Kept>, Error> {
        match self.server {
            Server::Others => Ok(None),
            Server::Runs(kept) => Ok(Some(kept)),
            Server::ToBeMade(folder, rehearsal) => block_in_place(|| {
                drop(rehearsal);
                Ok(Some(Kept::make(&folder)?))
            }),
        }
    }
}

/// Whether an answer is a connection string.
fn is_url(answer: &str) -> bool {
    answer.contains("://") || answer.contains('=')
}

/// Whether that can be used. `folders`: the answers that are a folder, and not typed in error.
async fn check(answer: &str, folders: &[String], lookup: Lookup<'_>) -> Result<Chosen, String> {
    let server = if folders.iter().any(|folder| folder == answer) {
        block_in_place(|| look_at(Path::new(answer)))?
    } else if is_url(answer) {
        Server::Others
    } else {
        return Err("that is no URL: expected one such as postgresql://user:password@host/database, or nothing (Enter) for what \
                    stands in brackets; --data-folder names another folder for a PostgreSQL of its own"
            .to_owned());
    };
    let (url, answers) = match &server {
        Server::Others => (answer.to_owned(), answer.to_owned()),
        Server::Runs(kept) => (kept.database_url(), kept.database_url()),
        Server::ToBeMade(folder, rehearsal) => (Kept::database_url_in(folder), rehearsal.database_url("postgres")),
    };
    let of = |url: String| {
        let lookup = |name: &str| if name == "DATABASE_URL" { Some(url.clone()) } else { lookup(name) };
        Database::from_env(&lookup).map_err(|error| error.to_string())
    };
    let (config, answers) = (of(url.clone())?, of(answers)?);
    let prospect = migrate::look(&answers).await.map_err(|error| error.to_string())?;
    if let Some(why) = prospect.unfit() {
        return Err(why);
    }
    if !prospect.is_ours && !prospect.may_create {
        return Err("this role may not make tables there: its owner lets it by GRANT CREATE ON DATABASE … TO …; GRANT CREATE ON \
                    SCHEMA public TO …"
            .to_owned());
    }
    let is_migrated = prospect.is_ours && prospect.behind < migrate::known().len();
    Ok(Chosen { url, config, behind: prospect.behind, is_migrated, answers, server })
}

/// Starts what is in a folder, or tries what is to be made there.
fn look_at(folder: &Path) -> Result<Server, String> {
    let looked = Kept::look(folder).and_then(|(folder, is_there)| {
        Ok(if is_there {
            Server::Runs(Kept::start(&folder)?)
        } else {
            Server::ToBeMade(folder, Cluster::start(Durability::None)?)
        })
    });
    looked.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_no_url() {
        assert!(is_url("postgresql://a@b/c") && is_url("host=/tmp dbname=x"));
        assert!(!is_url("./field-service-data") && !is_url("/srv/data") && !is_url("localhost"));
    }

    #[tokio::test]
    async fn a_folder_is_named_by_its_flag_and_not_typed_in_error() {
        for typed in ["localhost", "none", "/srv/data", ""] {
            let why = check(typed, &["./field-service-data".to_owned()], &|_| None).await.err().unwrap_or_default();
            assert!(
                why.contains("expected one such as postgresql://") && why.contains("--data-folder"),
                "{typed}: {why}"
            );
        }
    }
}
