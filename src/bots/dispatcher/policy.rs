//! How masters are searched for, for admins.

use super::super::callback::staff::PolicyTap;
use super::super::render::staff::policy as screens;
use super::super::render::texts::staff::policy as texts;
use super::By;
use super::reply::Reply;
use crate::dispatch::policy::{self, SetPolicyOutcome};
use crate::model::policy_draft::{PolicyDraft, PolicyInForce, PolicyRecord, PolicyValues};
use crate::model::staff::Place;
use crate::store;

/// How many of the last policies are shown; what the first of them changed is seen from one more.
const LOG: i64 = 8;

impl By<'_> {
    /// The reply to a button about how masters are searched for.
    pub(super) async fn policy(self, tap: PolicyTap) -> Result<Reply, store::Error> {
        let policy = policy::in_force(&self.bots.store, self.staff).await?;
        let Some(policy) = policy.filter(|policy| policy.may_change) else {
            return Ok(self.menu().await?.with_alert(texts::ADMINS_ONLY));
        };
        match tap {
            PolicyTap::Show => Ok(shown(&policy)),
            PolicyTap::Log => {
                let latest = policy::latest(&self.bots.store, self.staff, LOG + 1).await?;
                Ok(Reply::screen(screens::log(&latest), Place::Menu))
            }
            PolicyTap::Bound(field, up) => {
                Ok(Reply { place: Some(Place::Menu), ..Reply::alert(texts::bound(field, up)) })
            }
            PolicyTap::Edit(seen, values) => self.edit_policy(&policy, seen, values).await,
            PolicyTap::Try(seen, values) => self.try_policy(&policy, seen, values).await,
            PolicyTap::Set(seen, values) => self.set_policy(&policy, seen, values).await,
        }
    }

    /// Values that are being chosen, beside the policy in force; if that is another one since they were begun, it is said.
    async fn edit_policy(self, policy: &PolicyInForce, seen: i64, values: PolicyValues) -> Result<Reply, store::Error> {
        let now = &policy.record;
        let values = self.moved(now, seen, values).await?;
        if now.values == values {
            return Ok(shown(policy));
        }
        let reply = edited(now, values);
        Ok(if now.id == seen { reply } else { reply.with_alert(texts::changed_meanwhile(now)) })
    }

    /// Values that were begun with one policy, on top of the one in force: where they were not touched they are as in that.
    async fn moved(self, now: &PolicyRecord, seen: i64, values: PolicyValues) -> Result<PolicyValues, store::Error> {
        if now.id == seen {
            return Ok(values);
        }
        let seen = policy::numbered(&self.bots.store, self.staff, seen).await?;
        // Buttons carry values within bounds, also where a row has others.
        Ok(seen.map_or(values, |seen| values.moved(seen.values.clamped(), now.values.clamped())))
    }

    /// Asks whether to save values, with what they would have done yesterday.
    async fn try_policy(self, policy: &PolicyInForce, seen: i64, values: PolicyValues) -> Result<Reply, store::Error> {
        let now = &policy.record;
        if now.id != seen {
            return self.edit_policy(policy, seen, values).await;
        }
        let Ok(draft) = PolicyDraft::check(values) else {
            return Ok(edited(now, values).with_alert(texts::NOT_SAVED_YET));
        };
        if now.values == draft.values() {
            let already = SetPolicyOutcome::AlreadySo(now.clone());
            return Ok(shown(policy).with_toast(texts::saved(&already)));
        }
        let preview = policy::preview(&self.bots.store, policy, &draft).await?;
        Ok(Reply::screen(screens::confirm(now, &draft, &preview), Place::Menu))
    }

    /// Saves values; if they are not saved, they stay on the screen.
    async fn set_policy(self, policy: &PolicyInForce, seen: i64, values: PolicyValues) -> Result<Reply, store::Error> {
        let Ok(draft) = PolicyDraft::check(values) else {
            let reply = self.edit_policy(policy, seen, values).await?;
            return Ok(reply.with_alert(texts::NOT_SAVED_YET));
        };
        let (store, staff) = (&self.bots.store, self.staff);
        let outcome = policy::set(store, staff, &draft, Some(seen), Some(self.origin)).await?;
        self.bots.metrics.count("set_policy", outcome.name());
        let said = texts::saved(&outcome);
        Ok(match outcome {
            SetPolicyOutcome::Done(record) => shown(&PolicyInForce { record, ..policy.clone() }).with_toast(said),
            SetPolicyOutcome::AlreadySo(record) | SetPolicyOutcome::Repeated(record) => {
                shown(&PolicyInForce { record, ..policy.clone() }).with_alert(said)
            }
            SetPolicyOutcome::Stale(record) => {
                let values = self.moved(&record, seen, values).await?;
                edited(&record, values).with_alert(said)
            }
            SetPolicyOutcome::NotAllowed => self.menu().await?.with_alert(said),
            SetPolicyOutcome::Busy => self.edit_policy(policy, seen, values).await?.with_alert(said),
        })
    }
}

fn shown(policy: &PolicyInForce) -> Reply {
    Reply::screen(screens::in_force(policy), Place::Menu)
}

fn edited(now: &PolicyRecord, values: PolicyValues) -> Reply {
    Reply::screen(screens::edit(now, values), Place::Menu)
}
