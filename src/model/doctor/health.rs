//! The server as it is reached from outside, and its jobs: no process sees another's memory, but each says of itself over HTTP
//! whether its jobs are alive, and what jobs have left undone stands in the database.

use super::finding::{Finding, Read, Unread, or_fine};
use super::rough;

/// What `GET /health` answered.
#[derive(Clone, Debug)]
pub struct Health {
    /// The HTTP status.
    pub status: u16,
    /// What it said, if those were the words of this program.
    pub said: Option<Said>,
}

/// What a server says of itself.
#[derive(Clone, Debug)]
pub struct Said {
    /// Whether it reaches the database.
    pub database: bool,
    /// Its jobs; none: it is the function, whose jobs are another one's.
    pub jobs: Vec<Job>,
}

/// A job of that server.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// How many seconds ago a pass last succeeded.
    pub age: i64,
    /// Whether that is not too long.
    pub alive: bool,
}

/// What jobs have left undone for minutes.
#[derive(Clone, Copy, Debug)]
pub struct Undone {
    /// Offers that should have ended.
    pub offers: i64,
    /// Orders that should have been offered.
    pub orders: i64,
}

impl Health {
    /// Whether that server fetches updates.
    #[must_use]
    pub fn is_polling(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said.jobs.iter().any(|job| job.name.starts_with("poll") && job.alive))
    }
}

/// Judges how the server is reached. `None`: it is not known where. `fetched`: whether a `serve --poll` serves both bots, which needs
/// no address.
#[must_use]
pub fn judge(health: Option<&Read<Health>>, fetched: bool) -> Vec<Finding> {
    let health = match health {
        None if fetched => {
            return vec![Finding::fine("PUBLIC_URL is not set, as `serve --poll` is reached by nobody from outside")];
        }
        None => {
            return vec![Finding::warning(
                "public_url_missing",
                "PUBLIC_URL is not set: nobody is led to the dispatchers' page, and the server is not asked how it is",
                "set it to where people reach the server, unless nobody is to",
            )];
        }
        Some(Ok(health)) => health,
        Some(Err(unread @ Unread::NotConfigured(_))) => return vec![unread.finding()],
        Some(Err(unread)) => {
            return vec![Finding::wrong(
                "server_unreached",
                format!("nobody answers at PUBLIC_URL from here: {}", unread.why()),
                "see that the server and the proxy before it run, the name leads to them, and the certificate is valid",
            )];
        }
    };
    vec![match (health.status, &health.said) {
        (200, Some(said)) => {
            Finding::fine(format!("the server answers there and is well, jobs of its own: {}", said.jobs.len()))
        }
        (503, Some(Said { database: false, .. })) => Finding::wrong(
            "server_without_database",
            "the server answers there, and does not reach its database, or that takes no writes",
            "see its log; its DATABASE_URL may differ from that of this shell",
        ),
        (503, Some(_)) => Finding::fine("the server answers there; of its jobs below"),
        (status, _) => Finding::wrong(
            "server_strange",
            format!("what answers there is not this program, or not well: HTTP {status}"),
            "see that PUBLIC_URL has no path of its own, and where the proxy leads",
        ),
    }]
}

/// Judges the jobs, by what the server says and by what they have left undone; nothing, if neither says anything as there is no schema.
#[must_use]
pub fn judge_jobs(health: Option<&Read<Health>>, undone: &Read<Undone>, reached: bool) -> Vec<Finding> {
    let said = health.and_then(|health| health.as_ref().ok()).and_then(|health| health.said.as_ref());
    let mut findings: Vec<_> = said.iter().flat_map(|said| &said.jobs).filter(|job| !job.alive).map(dead).collect();
    match undone {
        Ok(undone) => findings.extend(of_undone(*undone)),
        Err(Unread::NeverMigrated) => {}
        Err(_) if !reached => findings.push(Finding::unchecked("the database was not reached")),
        Err(unread) => findings.push(unread.finding()),
    }
    if findings.is_empty() && matches!(undone, Err(Unread::NeverMigrated)) {
        return findings;
    }
    or_fine(findings, || match said.map(|said| said.jobs.len()) {
        None | Some(0) => "nothing is left undone".to_owned(),
        Some(jobs) => format!("{jobs} jobs of the server are alive, and nothing is left undone"),
    })
}

fn dead(job: &Job) -> Finding {
    Finding::wrong(
        "job_dead",
        format!("the job {} has not succeeded for {}", job.name, rough(job.age)),
        "see the log of the server for `job …: a pass failed`; restart it if it says nothing",
    )
}

fn of_undone(Undone { offers, orders }: Undone) -> Option<Finding> {
    if offers == 0 && orders == 0 {
        return None;
    }
    let what = format!(
        "for minutes, offers that are over have not ended: {offers}, and orders that are due have not been offered: {orders}"
    );
    let remedy = "nobody does what happens without a tap: see that `serve` runs, or that the schedule starts the function `tick`";
    Some(Finding::wrong("work_undone", what, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(status: u16, database: bool, jobs: &[(&str, bool)]) -> Health {
        let job = |(name, alive): &(&str, bool)| Job { name: (*name).to_owned(), age: 300, alive: *alive };
        Health { status, said: Some(Said { database, jobs: jobs.iter().map(job).collect() }) }
    }

    #[test]
    fn a_server_is_judged_by_what_it_answers() {
        let code = |health: Option<&Read<Health>>| judge(health, false)[0].code;
        assert_eq!(code(None), "public_url_missing");
        assert_eq!(judge(None, true)[0].code, "ok", "nobody has to reach it");
        assert_eq!(code(Some(&Ok(health(200, true, &[])))), "ok");
        assert_eq!(code(Some(&Ok(health(503, false, &[])))), "server_without_database");
        assert_eq!(code(Some(&Ok(health(503, true, &[("expire", false)])))), "ok", "of that it is said once");
        assert_eq!(code(Some(&Ok(Health { status: 404, said: None }))), "server_strange");
        assert_eq!(code(Some(&Err(Unread::Failed("refused".to_owned())))), "server_unreached");
        assert_eq!(code(Some(&Err(Unread::NotConfigured("PUBLIC_URL")))), "not_checked");
    }

    #[test]
    fn a_job_is_dead_if_its_server_says_so_or_its_work_is_undone() {
        let none = || Ok(Undone { offers: 0, orders: 0 });
        let codes = |health: &Health, undone: Read<Undone>| -> Vec<&'static str> {
            judge_jobs(Some(&Ok(health.clone())), &undone, true).iter().map(|finding| finding.code).collect()
        };
        let some = health(503, true, &[("expire", false), ("measure", true)]);
        assert_eq!(codes(&some, none()), ["job_dead"]);
        assert_eq!(codes(&some, Ok(Undone { offers: 1, orders: 0 })), ["job_dead", "work_undone"]);
        assert_eq!(codes(&health(200, true, &[]), Ok(Undone { offers: 0, orders: 1 })), ["work_undone"]);
        assert_eq!(codes(&health(200, true, &[]), none()), ["ok"]);
        assert_eq!(codes(&health(200, true, &[]), Err(Unread::Failed("x".to_owned()))), ["not_checked"]);
    }

    #[test]
    fn a_server_that_polls_says_so() {
        assert!(health(200, true, &[("poll_master", true)]).is_polling());
        assert!(!health(503, true, &[("poll_master", false)]).is_polling());
    }
}
