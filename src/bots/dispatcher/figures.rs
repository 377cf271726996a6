//! The figures.

use super::super::callback::staff::FiguresTap;
use super::super::render::staff::figures as screens;
use super::super::render::texts::staff::figures as texts;
use super::By;
use super::reply::Reply;
use crate::dispatch::figures::{self, MasterFigures, Scope};
use crate::model::staff::Place;
use crate::store;

impl By<'_> {
    /// The reply to a button of the figures: of a city that is not theirs nothing, but the figures of all that are.
    pub(super) async fn figures(self, tap: FiguresTap) -> Result<Reply, store::Error> {
        let (store, staff) = (&self.bots.store, self.staff);
        let screen = match tap {
            FiguresTap::Orders(scope) => figures::figures(store, staff, scope).await?.as_ref().map(screens::figures),
            FiguresTap::Masters { scope, page } => {
                figures::masters(store, staff, scope, (page, MasterFigures::PAGE)).await?.as_ref().map(screens::masters)
            }
            FiguresTap::Cities { period, masters } => {
                let scope = Scope { period, city: None };
                figures::cities(store, staff, scope, masters).await?.as_ref().map(screens::cities)
            }
        };
        if let Some(screen) = screen {
            return Ok(Reply::screen(screen, Place::Menu));
        }
        let all = figures::figures(store, staff, Scope::default()).await?;
        Ok(match all {
            Some(all) => Reply::screen(screens::figures(&all), Place::Menu).with_alert(texts::NOT_YOUR_CITY),
            None => Reply { place: Some(Place::Menu), ..Reply::alert(texts::NOT_YOUR_CITY) },
        })
    }

    /// Today's figures.
    pub(super) async fn first_figures(self) -> Result<Reply, store::Error> {
        self.figures(FiguresTap::Orders(Scope::default())).await
    }
}
