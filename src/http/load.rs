//! How long an update that comes now would wait: judged from how many are there before it, and how fast the last seconds'
//! were done.
//!
//! A fast server queues, however many come at once; what must not be is a queue that never ends, in which everybody waits,
//! and those whom Telegram brings again too. So a burst is taken in whole, and beyond that only what can be served soon.
//! Pure: times are handed in.

use std::time::{Duration, Instant};

/// Who would wait longer is refused. Less than the three seconds that are promised, as it is a guess.
const SOON: f64 = 2.0;
/// Who has waited for so long, in spite of that guess, is refused if many others are.
pub(super) const LATE: Duration = Duration::from_millis(2500);

/// So many are taken in whole after a time of calm: all that come within this time, in seconds; and after it for as long as
/// they come as fast as a burst does. Slower ones are no burst, but more than can be done.
const BURST: u32 = 2200;
const BURST_SECONDS: f64 = 2.5;
const BURST_RATE: f64 = 500.0;
/// A machine that is too busy reads a burst more slowly than that, and does it more slowly still: what comes at this rate, and
/// so many times as fast as it is done, is a burst too.
const BUSY_RATE: f64 = 150.0;
const BUSY_RATIO: u32 = 12;
/// For so long, in seconds, a burst may gather pace.
const BURST_GATHERS: f64 = 0.5;
/// After so long without a queue the next one is a burst's again.
const CALM: Duration = Duration::from_secs(1);

/// "The last seconds": what is older than that counts for less than a third.
const MEMORY: f64 = 2.0;
/// With less than this much of the last seconds spent at full work, nothing is known about how fast that is.
const ENOUGH: f64 = 0.3;

/// The updates under way, and how fast they are done.
#[derive(Debug)]
pub(super) struct Load {
    /// With more than these under way the server works as fast as it can.
    full: usize,
    under_way: usize,
    /// Up to when the figures below are.
    at: Instant,
    /// Of the last seconds: how long it was at full work, how many updates it did meanwhile, and how many it refused.
    at_work: f64,
    done: f64,
    refused: f64,
    /// When the last queue began, and how many came and were done since.
    queue_began: Instant,
    came: u32,
    went: u32,
    /// Since when there is no queue.
    calm_since: Option<Instant>,
}

/// What becomes of an update that comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is served.
    Welcome,
    /// It would wait for so many seconds.
    TooMany(f64),
}

impl Load {
    /// Nothing yet. `full`: how many can be worked on at the same moment.
    pub(super) fn new(full: usize, now: Instant) -> Self {
        Self {
            full,
            under_way: 0,
            at: now,
            at_work: 0.0,
            done: 0.0,
            refused: 0.0,
            queue_began: now,
            came: 0,
            went: 0,
            calm_since: now.checked_sub(CALM).or(Some(now)),
        }
    }

    /// An update comes. If it is welcome, it is under way until [`leave`](Self::leave).
    pub(super) fn come(&mut self, now: Instant) -> Verdict {
        self.pass(now);
        self.came = self.came.saturating_add(1);
        if let Some(seconds) = self.expected_wait()
            && seconds > SOON
            && !self.is_burst(now)
        {
            self.refused += 1.0;
            return Verdict::TooMany(seconds);
        }
        self.under_way += 1;
        if self.under_way > self.full
            && let Some(since) = self.calm_since.take()
            && now.saturating_duration_since(since) >= CALM
        {
            (self.queue_began, self.came, self.went) = (now, 1, 0);
        }
        Verdict::Welcome
    }

    /// One that was welcome is done.
    pub(super) fn leave(&mut self, now: Instant) {
        self.pass(now);
        if self.is_at_full_work() {
            self.done += 1.0;
        }
        self.go(now);
    }

    /// Whether one that was welcome, and has waited for [`LATE`], is refused after all: it was no burst, and many others
    /// are refused now. It has left then.
    pub(super) fn give_up(&mut self, now: Instant) -> bool {
        self.pass(now);
        let gives_up = 2.0 * self.refused > self.done && !self.is_burst(now);
        if gives_up {
            self.go(now);
        }
        gives_up
    }

    fn go(&mut self, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        self.went = self.went.saturating_add(1);
        if self.calm_since.is_none() && !self.is_at_full_work() {
            self.calm_since = Some(now);
        }
    }

    fn is_at_full_work(&self) -> bool {
        self.under_way > self.full
    }

    /// How long one that comes now would wait, in seconds, if that is known.
    fn expected_wait(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a count of updates")]
        let before = self.under_way as f64;
        (self.is_at_full_work() && self.at_work >= ENOUGH).then(|| before * self.at_work / self.done.max(0.1))
    }

    /// Whether what comes is still part of a burst.
    fn is_burst(&self, now: Instant) -> bool {
        let seconds = now.saturating_duration_since(self.queue_began).as_secs_f64();
        let comes_at = |rate: f64| f64::from(self.came) >= rate * (seconds - BURST_GATHERS);
        let is_fast = comes_at(BURST_RATE) || comes_at(BUSY_RATE) && self.came >= BUSY_RATIO * self.went;
        self.came <= BURST && (seconds <= BURST_SECONDS || is_fast)
    }

    /// Brings the figures up to now: the older, the less they count.
    fn pass(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        let kept = (-seconds / MEMORY).exp();
        self.at_work *= kept;
        self.done *= kept;
        self.refused *= kept;
        if self.is_at_full_work() {
            self.at_work += MEMORY * (1.0 - kept);
        }
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// What became of updates at a server that can do so many a second.
    #[derive(Debug, Default)]
    struct Run {
        served: u32,
        refused_at_once: u32,
        refused_late: u32,
        slowest: f64,
    }

    /// Lets updates come at these moments, in seconds; each is done in its turn.
    fn run(load: &mut Load, begun: Instant, capacity: f64, moments: impl IntoIterator<Item = f64>) -> Run {
        const STEP: f64 = 0.001;
        let mut moments = moments.into_iter().peekable();
        let (mut queue, mut run, mut now, mut ready) = (VecDeque::new(), Run::default(), 0.0, 0.0);
        while moments.peek().is_some() || !queue.is_empty() {
            now += STEP;
            let at = begun + Duration::from_secs_f64(now);
            while moments.next_if(|moment| *moment <= now).is_some() {
                match load.come(at) {
                    Verdict::Welcome => queue.push_back(now),
                    Verdict::TooMany(_) => run.refused_at_once += 1,
                }
            }
            // They ask every quarter of a second.
            while queue.front().is_some_and(|came| now - came > LATE.as_secs_f64()) && load.give_up(at) {
                queue.pop_front();
                run.refused_late += 1;
            }
            ready = f64::min(ready + capacity * STEP, 1.0 + capacity * STEP);
            while ready >= 1.0
                && let Some(came) = queue.pop_front()
            {
                ready -= 1.0;
                load.leave(at);
                run.served += 1;
                run.slowest = f64::max(run.slowest, now - came);
            }
        }
        run
    }

    fn steadily(rate: f64, seconds: f64) -> impl Iterator<Item = f64> {
        let count = rate * seconds;
        (0..).map(f64::from).take_while(move |number| *number < count).map(move |number| number / rate)
    }

    #[test]
    fn under_overload_those_who_are_served_are_served_soon_and_the_capacity_is_used() {
        for capacity in [20.0, 40.0, 60.0, 100.0, 125.0, 250.0, 600.0, 1000.0, 3000.0] {
            for times in [1.5, 2.0, 4.0, 8.0] {
                let begun = Instant::now();
                let run = run(&mut Load::new(8, begun), begun, capacity, steadily(capacity * times, 30.0));
                // What comes hardly as fast as a burst, and is none, is known for that a little late.
                let may_take = if times > 4.0 || (450.0..900.0).contains(&(capacity * times)) { 4.3 } else { 3.0 };
                assert!(run.slowest < may_take, "{capacity}/s, {times} times: {run:?}");
                assert!(f64::from(run.served) > 0.95 * capacity * 30.0, "{capacity}/s, {times} times: {run:?}");
                assert!(run.refused_late <= BURST, "{capacity}/s, {times} times: {run:?}");
            }
        }
    }

    #[test]
    fn up_to_the_capacity_nobody_is_refused() {
        for capacity in [20.0, 250.0, 2000.0] {
            let begun = Instant::now();
            let run = run(&mut Load::new(8, begun), begun, capacity, steadily(capacity * 0.95, 60.0));
            assert_eq!((run.refused_at_once, run.refused_late), (0, 0), "{capacity}/s: {run:?}");
        }
    }

    #[test]
    fn a_burst_is_taken_in_whole_however_slow_the_server_is() {
        for capacity in [20.0, 150.0, 300.0, 2000.0] {
            for seconds in [0.0, 0.5, 2.0, 3.5] {
                let begun = Instant::now();
                let mut load = Load::new(8, begun);
                let burst = |from: f64| (0..2000).map(move |number| from + f64::from(number) / 2000.0 * seconds);
                let mut run = run(&mut load, begun, capacity, burst(0.0));
                assert_eq!(run.served, 2000, "{capacity}/s, in {seconds} s: {run:?}");
                // And the next one, after a time of calm.
                let after = begun + Duration::from_mins(10);
                run = super::tests::run(&mut load, after, capacity, burst(0.0));
                assert_eq!(run.served, 2000, "again at {capacity}/s, in {seconds} s: {run:?}");
            }
        }
    }

    #[test]
    fn a_burst_is_taken_in_whole_also_where_it_takes_seconds_to_read_it() {
        // As measured where ten programs shared two cores: 800 were read in the first two and a half seconds.
        for capacity in [10.0, 25.0] {
            let begun = Instant::now();
            let run = run(&mut Load::new(8, begun), begun, capacity, steadily(2000.0 / 6.25, 6.25));
            assert_eq!(run.served, 2000, "{capacity}/s: {run:?}");
        }
    }

    #[test]
    fn a_few_at_once_are_served_by_a_server_that_has_had_little_to_do() {
        let begun = Instant::now();
        let mut load = Load::new(8, begun);
        // One a second, and then a hundred.
        let moments = steadily(1.0, 60.0).chain(std::iter::repeat_n(60.0, 100));
        let run = run(&mut load, begun, 50.0, moments);
        assert_eq!((run.served, run.refused_at_once), (160, 0), "{run:?}");
    }

    #[test]
    fn a_server_that_does_nothing_any_more_refuses_soon_and_takes_in_again_when_it_works() {
        let begun = Instant::now();
        let mut load = Load::new(8, begun);
        let after = |seconds| begun + Duration::from_secs_f64(seconds);
        let mut welcome = 0;
        for moment in steadily(20.0, 10.0) {
            welcome += u32::from(load.come(after(moment)) == Verdict::Welcome);
        }
        assert!(welcome < 60, "{welcome} were taken in by a server that does nothing");
        for _ in 0..welcome {
            load.leave(after(10.1));
        }
        assert_eq!(load.come(after(10.2)), Verdict::Welcome);
    }
}
