//! A dispatcher's steps.

use field_service::dispatch::act::StaffCommand;
use field_service::model::staff_order::Edit;
use field_service::model::{Amount, MasterId};

use super::play::Life;
use super::{LIMIT, StaffWork};

impl Life {
    pub(super) async fn staff_does(&mut self, master: usize, order: usize, what: StaffWork) -> Result<(), String> {
        let Some(order) = self.order(order) else { return Ok(()) };
        let id = MasterId(i64::try_from(master).expect("a small number") + 1);
        // Staff go over a limit knowingly, which no invariant excuses: not here.
        if matches!(what, StaffWork::Give) && self.load(master) >= LIMIT {
            return Ok(());
        }
        // Whether its master is still asked for the money then, the model does not know.
        if matches!(what, StaffWork::Reopen) && self.orders[order].status == "CLOSED" {
            return Ok(());
        }
        let command = match what {
            StaffWork::Claim => StaffCommand::Claim(None),
            StaffWork::Address => StaffCommand::Edit(Edit::Address(format!("дом {master}"))),
            StaffWork::Comment => StaffCommand::Edit(Edit::Comment(Some(format!("домофон {master}")))),
            StaffWork::SearchAgain => StaffCommand::SearchAgain("не успевает".to_owned()),
            StaffWork::Give => StaffCommand::Assign(id),
            StaffWork::Close => StaffCommand::Close(Amount::parse("777").expect("a sum")),
            StaffWork::Reopen => StaffCommand::Reopen,
        };
        let said = self.t.first_of_staff_does(self.orders[order].id, &command, None).await;
        let blocked = self.blocked[master];
        let found = &self.orders[order];
        let (open, active) = (found.open(), found.active());
        let expected: &[&str] = match what {
            StaffWork::Claim | StaffWork::Address | StaffWork::Comment if open || active => {
                &["SUCCESS", "ALREADY_DONE"]
            }
            StaffWork::Claim | StaffWork::Address | StaffWork::Comment => &["NOT_NOW", "ALREADY_DONE"],
            StaffWork::SearchAgain if active => &["SUCCESS"],
            // Nothing to begin anew, if nobody was asked.
            StaffWork::SearchAgain if open => &["SUCCESS", "NOT_NOW"],
            StaffWork::Give if active && found.owner == Some(master) => &["ALREADY_DONE"],
            StaffWork::Give if (open || active) && blocked => &["BLOCKED"],
            StaffWork::Give if open || active => &["SUCCESS"],
            StaffWork::Close if found.status == "PAYMENT" => &["SUCCESS"],
            StaffWork::Close if found.status == "CLOSED" => &["NOT_NOW", "ALREADY_DONE"],
            StaffWork::Reopen if !open && !active => &["SUCCESS"],
            StaffWork::SearchAgain | StaffWork::Give | StaffWork::Close | StaffWork::Reopen => &["NOT_NOW"],
        };
        if !expected.contains(&said) {
            return Err(format!("{said} instead of {expected:?} for {found:?}"));
        }
        if said == "SUCCESS" {
            self.note(order, master, what).await?;
        }
        Ok(())
    }

    /// What the model holds then.
    async fn note(&mut self, order: usize, master: usize, what: StaffWork) -> Result<(), String> {
        let found = &mut self.orders[order];
        match what {
            StaffWork::Claim | StaffWork::Address | StaffWork::Comment => return Ok(()),
            StaffWork::Close => found.set("CLOSED"),
            StaffWork::Give => {
                if found.active() {
                    found.search_again();
                }
                found.recall(None);
                found.assign(master);
            }
            // And the first round has begun.
            StaffWork::SearchAgain | StaffWork::Reopen => {
                found.search_again();
                return self.adopt_offers_of(order).await;
            }
        }
        Ok(())
    }
}
