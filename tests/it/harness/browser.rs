//! A headless Chromium, driven over WebDriver.

use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt;
use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A window.
pub struct Browser {
    client: Client,
    _driver: Child,
    profile: PathBuf,
}

/// A browser and a driver of the same major version, as they must be.
async fn find() -> Option<(&'static str, &'static str)> {
    let drivers = ["/usr/bin/chromedriver", "/usr/lib/chromium-browser/chromedriver", "/usr/local/bin/chromedriver"];
    let browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    for driver in drivers {
        let Some(version) = major_version(driver).await else { continue };
        for browser in browsers {
            if major_version(browser).await.as_ref() == Some(&version) {
                return Some((browser, driver));
            }
        }
    }
    None
}

async fn major_version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output().await.ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let number = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split('.').next().map(ToOwned::to_owned)
}

impl Browser {
    /// Opens `url` in a window of this size, and closes it after `work`, however that ends. On a machine without a
    /// browser it says loudly that `work` was not done, and returns false.
    pub async fn visit(url: &str, size: (u32, u32), work: impl AsyncFnOnce(&Self)) -> bool {
        let Some(browser) = Self::open(url, size).await else { return false };
        let done = AssertUnwindSafe(work(&browser)).catch_unwind().await;
        let closed = browser.client.clone().close().await;
        done.unwrap_or_else(|panic| resume_unwind(panic));
        closed.expect("the session ends");
        true
    }

    async fn open(url: &str, (width, height): (u32, u32)) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Some((chromium, driver)) = find().await else {
            // Straight to standard error: what a test prints is shown only when it fails.
            let said = "NOT RUN: the page in a browser; install one: apt install chromium chromium-driver";
            writeln!(std::io::stderr(), "{said}").expect("standard error");
            return None;
        };
        let (driver, port) = Self::drive(driver).await;

        let name = format!("fs-browser-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let profile = std::env::temp_dir().join(name);
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ];
        let mut args: Vec<String> = flags.map(ToOwned::to_owned).into();
        args.push(format!("--user-data-dir={}", profile.display()));
        args.push(format!("--window-size={width},{height}"));
        let capabilities = json!({
            "goog:chromeOptions": {"binary": chromium, "args": args},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities.as_object().expect("an object").clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser session");
        // The window's size includes frames that are not there: let the page itself have this size.
        let browser = Self { client, _driver: driver, profile };
        browser
            .command(
                "goog/cdp/execute",
                json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": {
                    "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
                }}),
            )
            .await;
        browser.client.goto(url).await.expect("the page opens");
        Some(browser)
    }

    /// Starts chromedriver; and its port. Of two that start at the same moment one may find its port taken, and ends.
    async fn drive(program: &str) -> (Child, String) {
        for _ in 0..5 {
            let mut driver = Command::new(program)
                .arg("--port=0")
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .expect("chromedriver runs");
            let mut said = BufReader::new(driver.stdout.take().expect("stdout is piped")).lines();
            while let Some(line) = said.next_line().await.expect("stdout") {
                if let Some((_, port)) = line.split_once("started successfully on port ") {
                    let port = port.trim_end_matches('.').to_owned();
                    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
                    return (driver, port);
                }
            }
        }
        panic!("chromedriver does not say its port");
    }

    /// Does `work` in a further tab at `url`, closes it, and comes back to this one.
    pub async fn in_another_tab(&self, url: &str, work: impl AsyncFnOnce(&Self)) {
        let here = self.client.window().await.expect("a tab");
        let there = self.client.new_window(true).await.expect("another tab");
        self.client.switch_to_window(there.handle).await.expect("it is there");
        self.client.goto(url).await.expect("the page opens");
        work(self).await;
        self.client.close_window().await.expect("it is closed");
        self.client.switch_to_window(here).await.expect("the first one is there");
    }

    /// Shows the page as somebody sees it who prefers `scheme`, light or dark.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let params = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.command("goog/cdp/execute", params).await;
    }

    /// The element, once it is there.
    async fn element(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(Duration::from_secs(20)).for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("nothing at {css}: {error}"))
    }

    /// Waits for the element and clicks it.
    pub async fn click(&self, css: &str) {
        let element = self.element(css).await;
        element.click().await.unwrap_or_else(|error| panic!("{css} cannot be clicked: {error}"));
    }

    /// Types into whatever has the focus; should that be drawn anew at this moment, into what is there then.
    pub async fn keys(&self, keys: &str) {
        for _ in 0..10 {
            let element = self.client.active_element().await.expect("an element with the focus");
            match element.send_keys(keys).await {
                Err(error) if error.to_string().contains("stale element") => {}
                typed => return typed.unwrap_or_else(|error| panic!("{keys:?} cannot be typed: {error}")),
            }
        }
        panic!("{keys:?} cannot be typed: what has the focus is drawn anew all the time");
    }

    /// Puts text into a field, instead of what is there.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        element.clear().await.expect("an empty field");
        element.send_keys(text).await.expect("typed text");
    }

    /// Chooses a file in a field for one.
    pub async fn choose(&self, css: &str, file: &Path) {
        let element = self.element(css).await;
        element.send_keys(&file.display().to_string()).await.expect("a chosen file");
    }

    /// What an expression of JavaScript is on the page.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.client.execute(&script, Vec::new()).await.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Runs statements of JavaScript on the page.
    pub async fn run(&self, script: &str) {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("a script: {error}"));
    }

    /// Waits until an expression of JavaScript is true on the page.
    pub async fn until(&self, expression: &str) {
        let wait = async { while self.value(expression).await != json!(true) {} };
        let came = tokio::time::timeout(Duration::from_secs(20), wait).await;
        assert!(came.is_ok(), "not within 20 seconds: {expression}\n{}", self.value("document.body.innerText").await);
    }

    /// What was written to the console since it was last asked for, and requests that failed.
    pub async fn console(&self) -> Vec<String> {
        let log = self.command("se/log", json!({"type": "browser"})).await;
        log.as_array().expect("entries").iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// A picture of the window, as PNG.
    pub async fn picture(&self, file: &Path) {
        fs::write(file, self.client.screenshot().await.expect("a picture")).expect("a file");
    }

    async fn command(&self, path: &'static str, params: Value) -> Value {
        let command = DriverCommand { path, params };
        self.client.issue_cmd(command).await.unwrap_or_else(|error: CmdError| panic!("{path}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.profile));
    }
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct DriverCommand {
    path: &'static str,
    params: Value,
}

impl WebDriverCompatibleCommand for DriverCommand {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.params.to_string()))
    }
}
