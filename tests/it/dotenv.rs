//! A file `.env` where a program is started by hand: what it says counts, the environment goes before it, and nothing of it is
//! ever shown.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::harness::{Dispatch, MASTER_TOKEN};

/// A folder with a `.env`.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, text: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("dotenv-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(".env"), text).expect("a file");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn run(program: &str, folder: &Folder, args: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(program);
    command.args(args).current_dir(&folder.0).env_clear().envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_field-service");

#[tokio::test(flavor = "multi_thread")]
async fn a_command_reads_the_file_and_the_environment_goes_before_it() {
    let t = Dispatch::start().await;
    let text = format!(
        "# Of this machine.\nDATABASE_URL='{}'\nMASTER_BOT_TOKEN='{MASTER_TOKEN}'\nTELEGRAM_API_URL='{}'\n",
        t.database_url,
        t.telegram.api_url()
    );
    let folder = Folder::new("read", &text);
    let (fine, said) = run(PROGRAM, &folder, &["master", "list"], &[]);
    assert!(fine && said.contains("Анна"), "{said}");
    let (fine, said) = run(PROGRAM, &folder, &["webhook", "info"], &[]);
    assert!(fine && said.contains("waiting updates: 0"), "{said}");

    let (fine, said) = run(PROGRAM, &folder, &["master", "list"], &[("DATABASE_URL", "mysql://x")]);
    assert!(!fine && said.contains("DATABASE_URL is malformed"), "{said}");
    // One that is there and empty is as good as missing, whatever the file says.
    let (fine, said) = run(PROGRAM, &folder, &["master", "list"], &[("DATABASE_URL", "")]);
    assert!(!fine && said.contains("DATABASE_URL is not set"), "{said}");
}

#[test]
fn a_broken_line_is_named_and_not_shown() {
    let folder = Folder::new("broken", "DATABASE_URL='postgresql://u@h/d'\nMASTER_BOT_TOKEN=1:hush hush\nA=1\n");
    for args in [&["migrate"][..], &["serve"], &["health"], &["init"]] {
        let (fine, said) = run(PROGRAM, &folder, args, &[]);
        assert!(!fine && said.starts_with("error: .env, line 2: expected NAME='value'"), "{args:?}: {said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

#[test]
fn a_command_that_needs_no_setting_does_without_it() {
    let folder = Folder::new("needless", "hush hush\n");
    let settings = folder.0.join(".env");
    for is_folder in [false, true] {
        if is_folder {
            std::fs::remove_file(&settings).expect("a file");
            std::fs::create_dir(&settings).expect("a folder, as of a Python environment");
        }
        let (fine, said) = run(PROGRAM, &folder, &["simulate", "--show-city", "sparse"], &[]);
        assert!(fine && said.contains(".env") && said.contains("goes on without it"), "{said}");
        assert!(!said.contains("hush"), "{said}");
        let (fine, said) = run(PROGRAM, &folder, &["migrate"], &[]);
        assert!(
            !fine && said.starts_with(if is_folder { "error: reading .env: " } else { "error: .env, line 1" }),
            "{said}"
        );
    }
}

#[test]
fn the_functions_do_not_read_it() {
    let folder = Folder::new("functions", "DATABASE_URL='postgresql://u@h/d'\n");
    for function in [env!("CARGO_BIN_EXE_webhook"), env!("CARGO_BIN_EXE_tick")] {
        let (fine, said) = run(function, &folder, &[], &[]);
        assert!(!fine && said.contains("DATABASE_URL is not set"), "{said}");
    }
}

/// Else somebody's own settings, in the folder of the sources, would be what is tested.
#[test]
fn every_test_starts_the_program_where_no_file_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut found) = (vec![root.join("tests"), root.join("benches")], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).expect("a source");
                let starts = source.matches("CARGO_BIN_EXE_field-service").count();
                found += starts;
                assert!(starts == 0 || source.contains(".current_dir("), "{}", path.display());
            }
        }
    }
    assert!(found > 8, "only {found} were found");
}
