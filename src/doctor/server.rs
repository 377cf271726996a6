//! The server, asked where people reach it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::in_time;
use super::settings::Settings;
use crate::logging::cause;
use crate::model::doctor::finding::{Read, Unread};
use crate::model::doctor::health::{Health, Job, Said};
use crate::telegram;

/// As `GET /health` answers.
#[derive(Deserialize)]
struct Body {
    database: bool,
    #[serde(default)]
    jobs: BTreeMap<String, Pulse>,
}

#[derive(Deserialize)]
struct Pulse {
    age_seconds: f64,
    alive: bool,
}

/// What the server says of itself; `None`: it is not known where it is.
pub(super) async fn health(settings: &Settings) -> Option<Read<Health>> {
    let url = match &settings.public_url {
        Ok(None) => return None,
        Ok(Some(url)) => url.health(),
        Err(variable) => return Some(Err(Unread::NotConfigured(variable))),
    };
    let asked = async {
        let answer = telegram::http_client(&url).get(&url).send().await.map_err(|error| unread(&error))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|error| unread(&error))?;
        let said = serde_json::from_slice::<Body>(&body).ok().map(said);
        Ok(Health { status, said })
    };
    Some(in_time(asked).await)
}

fn unread(error: &reqwest::Error) -> Unread {
    if error.is_timeout() {
        return Unread::Failed("timed out".to_owned());
    }
    Unread::Failed(cause::of(error).unwrap_or_else(|| "the request failed".to_owned()))
}

fn said(Body { database, jobs }: Body) -> Said {
    let job = |(name, Pulse { age_seconds, alive }): (String, Pulse)| {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
        let age = age_seconds as i64;
        Job { name, age, alive }
    };
    Said { database, jobs: jobs.into_iter().map(job).collect() }
}
