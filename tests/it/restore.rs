//! `restore`: a backup comes back whole, or the database stays as empty as it was.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use field_service::config::Database;
use field_service::store::migrate;
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{ANNA, Dispatch, postgres};

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fs-restore-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    /// Runs the program on a database, and waits for it no longer than for one that hangs.
    async fn run(&self, args: &[&str], database_url: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
        command.args(args).current_dir(&self.0).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("DATABASE_URL", database_url).stdin(Stdio::null()).kill_on_drop(true);
        timeout(Duration::from_mins(1), command.output()).await.expect("an end").expect("the program runs")
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), contents).expect("a file");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).expect("a file")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn tables(database_url: &str) -> i64 {
    migrate::look(&Database::from_url(database_url).expect("a URL")).await.expect("a database").tables
}

/// Both kinds of backup of a system with an order.
async fn backups(folder: &Folder) -> Dispatch {
    let t = Dispatch::start().await;
    t.order().offered_to([ANNA]).await;
    for name in ["all.sql", "all.dump"] {
        let output = folder.run(&["backup", name], &t.database_url).await;
        assert!(output.status.success(), "{}", said(&output));
    }
    t
}

#[tokio::test]
async fn what_is_not_a_whole_backup_of_ours_is_refused_and_leaves_the_database_empty() {
    let folder = Folder::new("whole");
    let t = backups(&folder).await;
    let (sql, dump) = (folder.read("all.sql"), folder.read("all.dump"));
    let sql = String::from_utf8(sql).expect("UTF-8");
    let at = |words: &str| sql.find(words).unwrap_or_else(|| panic!("{words} in the dump"));
    let rows = at("COPY public.offers ");
    folder.write("no_rows.sql", &sql[..at("COPY ") - 10]);
    folder.write("some_rows.sql", &sql[..rows + sql[rows..].find('\n').expect("a line") + 20]);
    folder.write("no_indexes.sql", &sql[..at("CREATE INDEX ")]);
    folder.write("no_last_line.sql", &sql[..at("-- PostgreSQL database dump complete")]);
    folder.write("empty.dump", "");
    folder.write("empty.sql", "");
    folder.write("half.dump", &dump[..dump.len() / 2]);
    folder.write("begun.dump", &dump[..100]);
    folder.write("other.sql", "CREATE TABLE accounts (id bigint);\n--\n-- PostgreSQL database dump complete\n--\n");
    // Those that end as they should.
    let ending = |more: &str| {
        sql.replace("-- PostgreSQL database dump complete", &format!("{more}\n-- PostgreSQL database dump complete"))
    };
    folder.write("no_index.sql", ending("DROP INDEX public.idx_offers_not_expired;"));
    folder.write("no_constraint.sql", ending("ALTER TABLE public.offers DROP CONSTRAINT offers_order_id_fkey;"));
    folder.write("no_migrations.sql", ending("DELETE FROM public.refinery_schema_history;"));
    folder.write("command.sql", ending("\\! touch done-by-psql"));
    folder.write("command_behind.sql", ending("SELECT 1 \\! touch done-by-psql"));
    // To whoever looks for rows by their first line, the command is one of them.
    folder.write("hidden_command.sql", ending("/*\nCOPY public.offers FROM stdin;\n*/\n\\! touch done-by-psql\n\\.\n"));
    let fifo = std::process::Command::new("mkfifo").arg(folder.0.join("pipe.sql")).status().expect("mkfifo runs");
    assert!(fifo.success());
    let url = postgres::empty_database("not_whole").await;
    for (name, why) in [
        ("no_rows.sql", "cut short"),
        ("some_rows.sql", "cut short"),
        ("no_indexes.sql", "cut short"),
        ("no_last_line.sql", "cut short"),
        ("empty.dump", "cut short"),
        ("empty.sql", "cut short"),
        ("half.dump", "pg_restore cannot read it"),
        ("begun.dump", "pg_restore cannot read it"),
        ("other.sql", "no backup of ours"),
        ("no_index.sql", "idx_offers_not_expired is not there; the database is as empty as before"),
        ("no_constraint.sql", "offers_order_id_fkey is not there"),
        ("no_migrations.sql", "no migrations were applied"),
        ("command.sql", "syntax error"),
        ("command_behind.sql", "syntax error"),
        ("hidden_command.sql", "as empty as before"),
        ("pipe.sql", "reading pipe.sql: it is no regular file"),
        (".", "it is no regular file"),
    ] {
        let output = folder.run(&["restore", name], &url).await;
        let said = said(&output);
        assert!(!output.status.success() && said.contains(why) && !said.contains("is restored"), "{name}: {said}");
        assert_eq!(tables(&url).await, 0, "{name}: {said}");
    }
    assert!(!Path::new(&folder.0.join("done-by-psql")).exists(), "nothing of a dump is run here");

    // What newer ones write is no command.
    folder.write("newer.sql", format!("\\restrict aB1\n{sql}\\unrestrict aB1\n\n"));
    for name in ["newer.sql", "all.dump"] {
        let url = postgres::empty_database(&format!("whole_{}", &name[..3])).await;
        let output = folder.run(&["restore", name], &url).await;
        assert!(output.status.success() && said(&output).contains("is restored"), "{name}: {}", said(&output));
        let there = postgres::connect(&url).await;
        let count = "SELECT string_agg(offers::text, ';' ORDER BY id) FROM offers";
        let offers: String = there.query_one(count, &[]).await.expect("offers").get(0);
        assert_eq!(offers, t.one::<String>(count, &[]).await, "{name}");
    }
}

#[tokio::test]
async fn of_two_at_once_the_loser_says_what_is_so() {
    let folder = Folder::new("at-once");
    drop(backups(&folder).await);
    let url = postgres::empty_database("at_once").await;
    let both = tokio::join!(folder.run(&["restore", "all.sql"], &url), folder.run(&["restore", "all.dump"], &url));
    let both = [both.0, both.1];
    assert_eq!(both.iter().filter(|output| output.status.success()).count(), 1, "{both:?}");
    for loser in both.iter().filter(|output| !output.status.success()) {
        let said = said(loser);
        assert!(!said.contains("as empty as before"), "{said}");
        assert!(said.contains("is at work in this database") || said.contains("tables in the database"), "{said}");
    }
    assert_ne!(tables(&url).await, 0);

    // Also beside one that has brought back nothing yet.
    let url = postgres::empty_database("beside").await;
    let other = postgres::connect(&url).await;
    other.batch_execute("SELECT pg_advisory_lock(x'6669656c64737663'::bigint)").await.expect("a lock");
    let output = folder.run(&["restore", "all.sql"], &url).await;
    assert!(!output.status.success() && said(&output).contains("is at work in this database"), "{}", said(&output));
}
