//! What staff look at in figures. Reads alone: nothing is changed, and whoever may not look at a city is shown nothing of it.

use crate::model::StaffRef;
pub use crate::model::figures::{Bound, Charts, CityChoice, Figures, MasterFigures, Period, Scope};
use crate::store::{self, Store};

/// What happened in a period, in one city or in all of the reader's. `None`: the reader may not look there.
///
/// # Errors
/// When the database failed.
pub async fn figures(store: &Store, staff: StaffRef, scope: Scope) -> Result<Option<Figures>, store::Error> {
    store::figures::read(store, staff, scope).await
}

/// What charts show of a period, beside its figures; nothing where the reader may not look.
///
/// # Errors
/// When the database failed.
pub async fn charts(store: &Store, staff: StaffRef, scope: Scope) -> Result<Charts, store::Error> {
    store::figures::read_charts(store, staff, scope).await
}

/// A page of what each master did in a period, who took most first: its number, and how many it has. `None`: the reader may not look there.
///
/// # Errors
/// When the database failed.
pub async fn masters(
    store: &Store,
    staff: StaffRef,
    scope: Scope,
    page: (i64, i64),
) -> Result<Option<MasterFigures>, store::Error> {
    store::figures::read_masters(store, staff, scope, page).await
}

/// The cities that the reader can choose from, for the figures of all masters or of the city's. `None`: it is no staff.
///
/// # Errors
/// When the database failed.
pub async fn cities(
    store: &Store,
    staff: StaffRef,
    scope: Scope,
    masters: bool,
) -> Result<Option<CityChoice>, store::Error> {
    store::figures::read_cities(store, staff, scope, masters).await
}
