//! `invite`, of masters and of staff: links by which people get in.

use std::time::Duration;

use field_service::dispatch::invite::{self, InviteOutcome};
use field_service::model::CityId;
use field_service::model::invitation::Invited;
use field_service::store::Store;
use field_service::store::staff;

use super::{Result, bot, in_words, say};

/// The cities of those names, which are there already.
pub(super) async fn cities(store: &Store, names: &[String]) -> Result<Vec<CityId>> {
    match staff::cities(store, names).await? {
        Ok(cities) => Ok(cities),
        Err(city) => Err(format!("there is no city «{city}»: `master add` adds one with its first master").into()),
    }
}

/// Makes an invitation, and says its link, which is shown once.
pub(super) async fn make(store: &Store, invited: &Invited, hours: u64) -> Result {
    // Before anything is made that nobody could follow.
    let username = bot(invited.bot())?.username().await?;
    match invite::create(store, None, invited, Duration::from_hours(hours), None).await.map_err(in_words)? {
        InviteOutcome::Created(id, code) => say(&format!(
            "{}\nInvitation {id}: for one person, within {hours} h. It is not shown again; `--revoke {id}` revokes it.",
            code.link(&username)
        )),
        InviteOutcome::NotAllowed | InviteOutcome::AlreadyCreated => Err("nothing was made".into()),
    }
}

/// Revokes an invitation.
pub(super) async fn revoke(store: &Store, invitation: i64) -> Result {
    if invite::revoke(store, None, invitation).await.map_err(in_words)? {
        say(&format!("Invitation {invitation} lets nobody in any more."))
    } else {
        Err(format!("invitation {invitation} is none that could still let somebody in: `--list` shows those").into())
    }
}

/// Says which invitations can still let somebody in.
pub(super) async fn list(store: &Store) -> Result {
    let open = invite::open(store, None).await?;
    if open.is_empty() {
        return say("No invitation can let anybody in.");
    }
    open.iter().try_for_each(|invitation| {
        let cities = invitation.cities.as_deref().unwrap_or("all cities");
        let whom = match &invitation.invited {
            Invited::Master { needs_approval, .. } => {
                format!("a master in {cities}{}", if *needs_approval { ", to be approved" } else { "" })
            }
            Invited::Staff { role, full_name, .. } => {
                let name = full_name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
                format!("{}{name}, {cities}", role.as_str())
            }
        };
        let state = if invitation.on_the_way { "  somebody is on the way" } else { "" };
        let by = invitation.by_name.as_deref().unwrap_or("an operator");
        say(&format!("{:>4}  {}  until {}  by {by}{state}", invitation.id, whom, invitation.expires_at))
    })
}
