//! `serve` as a process of its own, on a test's database and with its Telegram.

use std::process::Stdio;
use std::time::Duration;

use field_service::telegram::http_client;
use tokio::process::{Child, Command};

use super::{BARE_FOLDER, Dispatch, Settings, environment};

/// The process, which ends with this, and where it listens.
pub struct Serve {
    pub process: Child,
    pub url: String,
}

impl Dispatch {
    /// What every program reads, for `env_clear().envs(…)`.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        environment(&self.database_url, &self.telegram, &Settings::default())
    }

    /// Starts it with whatever else `set` says of the command, and waits until it is well. It reads nothing, and is not heard
    /// unless that says so.
    pub async fn serve(&self, set: impl FnOnce(&mut Command)) -> Serve {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
        command
            .args(["serve", "--listen", &free.to_string()])
            .current_dir(BARE_FOLDER)
            .env_clear()
            .envs(self.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        set(&mut command);
        let process = command.spawn().expect("the program runs");
        // With it goes this process's end of a pipe.
        drop(command);
        let serve = Serve { process, url: format!("http://{free}") };
        let is_well = async { while serve.health().await != Some(200) {} };
        tokio::time::timeout(Duration::from_secs(30), is_well).await.expect("it answers");
        serve
    }
}

impl Serve {
    /// What `/health` is answered with, if at all.
    pub async fn health(&self) -> Option<u16> {
        let answer = http_client(&self.url).get(format!("{}/health", self.url)).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }
}
