//! A PostgreSQL in a folder of the user's: who makes, starts, shares and stops it, and who does not get at it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use field_service::cluster::{Error, Kept, SharedServer, keep_alive};
use tokio::time::sleep;

use crate::harness::{eventually, postgres};

/// A folder of the test's own, in which one for a database can be.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fs-cluster-{}-{name}", std::process::id()));
        fs::create_dir(&path).expect("a new folder");
        // As root, the server runs as somebody else, who has to get there.
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("permissions");
        Self(path)
    }

    fn data(&self) -> PathBuf {
        self.0.join("data-of-ours")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

fn pid_file(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("data/postmaster.pid")).ok()
}

#[tokio::test]
async fn several_who_begin_at_once_share_one_server_and_the_last_stops_it() {
    let folder = Folder::new("at-once");
    let begun: Vec<_> = (0..3)
        .map(|_| {
            let data = folder.data();
            thread::spawn(move || Kept::make(&data))
        })
        .collect();
    let begun: Result<Vec<Kept>, Error> = begun.into_iter().map(|begun| begun.join().expect("no panic")).collect();
    let mut begun = begun.expect("a server for each");
    assert_eq!(begun.iter().filter(|kept| kept.has_started()).count(), 1, "one has started it");
    let sql = postgres::connect(&begun[0].database_url()).await;
    sql.batch_execute("CREATE TABLE made (at_once boolean)").await.expect("a database");
    // Whoever has started it is the first to go.
    begun.sort_by_key(Kept::has_started);
    while let Some(kept) = begun.pop() {
        sql.simple_query("SELECT FROM made").await.expect("a server for whoever is left");
        drop(kept);
    }
    assert_eq!(pid_file(&folder.data()), None, "the last one has stopped it");
}

#[tokio::test]
async fn a_server_that_is_stopping_is_not_taken_for_one_that_runs() {
    let folder = Folder::new("stopping");
    let first = Kept::make(&folder.data()).expect("a server");
    // It waits for this session before it stops.
    let session = postgres::connect(&first.database_url()).await;
    session.simple_query("SELECT 1").await.expect("a session");
    let before = pid_file(&folder.data()).expect("a server");
    let pid = before.lines().next().expect("a process");
    assert!(Command::new("kill").args(["-TERM", pid]).status().expect("kill runs").success());
    eventually(|| pid_file(&folder.data()).is_some_and(|file| file.contains("stopping"))).await;
    let second = Kept::start(&folder.data()).expect("a server");
    assert!(second.has_started());
    drop(first);
    postgres::connect(&second.database_url()).await.simple_query("SELECT 1").await.expect("a server that runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_is_started_again_but_not_by_whoever_is_stopping() {
    let folder = Folder::new("killed");
    let kept = Kept::make(&folder.data()).expect("a server");
    let url = kept.database_url();
    let before = pid_file(&folder.data()).expect("a server");
    kill_server(&folder.data()).await;
    let shared: SharedServer = Arc::new(Mutex::new(Some(kept)));
    keep_alive(Arc::clone(&shared), std::future::ready(())).await;
    assert_eq!(pid_file(&folder.data()).as_ref(), Some(&before), "nobody needs it any more");

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let alive = tokio::spawn(keep_alive(Arc::clone(&shared), async { drop(stopped.await) }));
    eventually(|| pid_file(&folder.data()).is_some_and(|now| now != before && now.contains("ready"))).await;
    postgres::connect(&url).await.simple_query("SELECT 1").await.expect("a server that runs");
    drop(stop);
    alive.await.expect("an end");
    drop(shared);
    assert_eq!(pid_file(&folder.data()), None, "it is stopped as one that was never killed");
}

#[tokio::test]
async fn whoever_stops_a_server_that_was_moved_away_stops_no_other() {
    let folder = Folder::new("moved");
    let first = Kept::make(&folder.data()).expect("a server");
    let old = folder.0.join("old");
    fs::rename(folder.data(), &old).expect("moved away");
    let second = Kept::make(&folder.data()).expect("another server");
    assert!(second.has_started());
    let pid = pid_file(&old).and_then(|text| text.lines().next().map(ToOwned::to_owned)).expect("a server");
    drop(first);
    // Of its own nothing is left running.
    eventually(|| !Command::new("kill").args(["-0", &pid]).output().expect("kill runs").status.success()).await;
    postgres::connect(&second.database_url()).await.simple_query("SELECT 1").await.expect("a server that runs");
    drop(second);
    assert_eq!(pid_file(&folder.data()), None);
}

/// A program of whoever runs the server.
fn of_its_user(folder: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let owner = fs::metadata(folder.join("data")).expect("a folder");
    let mut command = Command::new(program);
    command.uid(owner.uid()).gid(owner.gid()).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

async fn kill_server(folder: &Path) {
    let before = pid_file(folder).expect("a server");
    let pid = before.lines().next().expect("a process");
    assert!(Command::new("kill").args(["-KILL", pid]).status().expect("kill runs").success());
    eventually(|| !Command::new("kill").args(["-0", pid]).output().expect("kill runs").status.success()).await;
}

/// The time of the one who looks is not ours: it passes whenever nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn a_server_that_was_told_to_stop_is_left_alone() {
    let folder = Folder::new("told");
    let data = folder.data();
    drop(Kept::make(&data).expect("a server"));
    for mode in ["smart", "fast", "immediate"] {
        let kept = Kept::start(&data).expect("a server");
        let pg_ctl = kept.programs().join("pg_ctl");
        let shared: SharedServer = Arc::new(Mutex::new(Some(kept)));
        let stop = async {
            sleep(Duration::from_secs(10)).await;
            let stopped = of_its_user(&data, &pg_ctl)
                .args(["stop", "--wait", "--mode", mode, "--pgdata"])
                .arg(data.join("data"))
                .status();
            assert!(stopped.expect("pg_ctl runs").success(), "{mode}");
            sleep(Duration::from_mins(10)).await;
            assert_eq!(pid_file(&data), None, "{mode}");
            // Whoever starts it again has one that is looked after as before.
            let again = Kept::start(&data).expect("a server");
            sleep(Duration::from_secs(10)).await;
            drop(again);
            let before = pid_file(&data).expect("a server, as it is needed");
            kill_server(&data).await;
            sleep(Duration::from_mins(1)).await;
            assert!(pid_file(&data).is_some_and(|now| now != before && now.contains("ready")), "{mode}");
        };
        keep_alive(Arc::clone(&shared), stop).await;
        drop(shared);
        assert_eq!(pid_file(&data), None, "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_killed_and_cannot_be_started_is_tried_until_it_can() {
    let folder = Folder::new("tried");
    let data = folder.data();
    let kept = Kept::make(&data).expect("a server");
    kill_server(&data).await;
    let shared: SharedServer = Arc::new(Mutex::new(Some(kept)));
    let (log, away) = (data.join("data/pg_wal"), data.join("data/away"));
    fs::rename(&log, &away).expect("moved");
    let stop = async {
        sleep(Duration::from_secs(10)).await;
        assert_eq!(pid_file(&data), None, "it has been tried, and has ended in good order");
        fs::rename(&away, &log).expect("moved back");
        sleep(Duration::from_mins(2)).await;
        assert!(pid_file(&data).is_some_and(|now| now.contains("ready")));
    };
    keep_alive(Arc::clone(&shared), stop).await;
}

#[tokio::test]
async fn another_program_that_has_a_killed_servers_number_is_neither_it_nor_stopped() {
    let folder = Folder::new("number");
    let data = folder.data();
    let kept = Kept::make(&data).expect("a server");
    kill_server(&data).await;
    let left = pid_file(&data).expect("what a killed server leaves");
    let (_, rest) = left.split_once('\n').expect("lines");
    // The second is one of which nobody can tell by its folder.
    for works_in in [PathBuf::from("/"), data.join("data")] {
        let mut other = of_its_user(&data, "sleep").arg("600").current_dir(works_in).spawn().expect("a program");
        fs::write(data.join("data/postmaster.pid"), format!("{}\n{rest}", other.id())).expect("a file");
        let why = Kept::start(&data).expect_err("no server").to_string();
        let still_runs = other.try_wait().expect("a program").is_none();
        other.kill().expect("an end");
        other.wait().expect("an end");
        assert!(why.contains("data/postmaster.pid") && why.contains("remove that file"), "{why}");
        assert!(still_runs, "{why}");
    }
    drop(kept);
    let _kept = Kept::start(&data).expect("a server, once nobody has that number");
}

#[test]
fn a_folder_that_the_servers_user_does_not_reach_is_refused_before_anything_is_made() {
    let folder = Folder::new("reached");
    let changed = |path: &Path| fs::metadata(path).expect("a folder").modified().expect("a time");
    let before = changed(&folder.0);
    assert!(!Kept::look(&folder.data()).expect("a folder that can be made").1);
    assert_eq!(changed(&folder.0), before, "looking changes nothing");

    // As root's home folder.
    let closed = folder.0.join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, Permissions::from_mode(0o500)).expect("permissions");
    let data = closed.join("data-of-ours");
    let why = Kept::look(&data).expect_err("nobody gets there").to_string();
    assert!(why.contains(&closed.display().to_string()) && why.contains("--data-folder"), "{why}");
    Kept::make(&data).expect_err("nobody gets there");
    assert_eq!(fs::read_dir(&closed).expect("a folder").count(), 0, "nothing is left behind");
    // Nor to one that is given to somebody there.
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).expect("permissions");
    fs::create_dir(&data).expect("a folder");
    if fs::metadata(&data).expect("a folder").uid() == 0 {
        chown(&data, Some(65_534), Some(65_534)).expect("a folder of somebody's");
        let why = Kept::look(&data).expect_err("he does not get there").to_string();
        assert!(why.contains("may not enter"), "{why}");
    }
}

#[tokio::test]
async fn nobody_else_gets_at_it() {
    let folder = Folder::new("closed");
    drop(Kept::make(&folder.data()).expect("a server"));
    fs::set_permissions(folder.data(), Permissions::from_mode(0o755)).expect("permissions");
    let _kept = Kept::start(&folder.data()).expect("a server");
    assert_eq!(mode(&folder.data()), 0o700);
    assert_eq!(mode(&folder.data().join(".s.PGSQL.5432")), 0o700);
}

#[test]
fn a_database_that_is_not_there_is_not_made_in_passing() {
    let folder = Folder::new("not-there");
    for is_there in [false, true] {
        if is_there {
            fs::create_dir(folder.data()).expect("a folder");
        }
        let why = Kept::start(&folder.data()).expect_err("no database").to_string();
        assert!(why.contains("there is no database in") && why.contains("mounted"), "{why}");
        assert_eq!(folder.data().exists(), is_there);
    }
    assert_eq!(fs::read_dir(folder.data()).expect("a folder").count(), 0);
}

#[test]
fn a_folder_that_is_there_stays_its_owners() {
    let folder = Folder::new("owner");
    fs::create_dir(folder.data()).expect("a folder");
    let owner = |path: &Path| fs::metadata(path).expect("a file").uid();
    if owner(&folder.data()) == 0 {
        fs::set_permissions(folder.data(), Permissions::from_mode(0o755)).expect("permissions");
        let why = Kept::make(&folder.data()).expect_err("root's").to_string();
        assert!(why.contains("belongs to root"), "{why}");
        assert_eq!((owner(&folder.data()), mode(&folder.data())), (0, 0o755), "nothing was changed");
        chown(folder.data(), Some(65_534), Some(65_534)).expect("a folder of somebody's");
    }
    let before = owner(&folder.data());
    drop(Kept::make(&folder.data()).expect("a server"));
    assert_eq!([owner(&folder.data()), owner(&folder.data().join("data"))], [before; 2]);
    drop(Kept::start(&folder.data()).expect("a server"));

    // Something else's `data` is no database.
    let other = folder.0.join("other");
    fs::create_dir_all(other.join("data/photos")).expect("folders");
    fs::set_permissions(&other, Permissions::from_mode(0o755)).expect("permissions");
    let before = owner(&other);
    let why = Kept::make(&other).expect_err("somebody's").to_string();
    assert!(why.contains("is not empty"), "{why}");
    assert_eq!((owner(&other), mode(&other)), (before, 0o755));
}
