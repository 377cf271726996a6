//! `/api/cities`: where the token may work.

use axum::Json as Answer;
use axum::extract::State as Extract;
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use super::caller::{Caller, Looks};
use super::order::Named;
use super::problem::Problem;
use crate::dispatch::look_up;
use crate::model::city::CityRecord;

/// A city with its districts.
#[derive(Serialize, ToSchema)]
pub struct CityWithDistricts {
    /// The number.
    id: i64,
    /// The name.
    name: String,
    /// The IANA name of the zone in which its clocks are shown.
    #[schema(example = "Asia/Yekaterinburg")]
    timezone: String,
    /// Its districts, by name.
    districts: Vec<Named>,
}

impl From<CityRecord> for CityWithDistricts {
    fn from(city: CityRecord) -> Self {
        let named = |district: crate::model::city::District| Named { id: district.id, name: district.name };
        let districts = city.districts.into_iter().map(named).collect();
        Self { id: city.id.0, name: city.name, timezone: city.timezone, districts }
    }
}

/// The cities, by name.
#[derive(Serialize, ToSchema)]
pub struct Cities {
    /// The cities.
    cities: Vec<CityWithDistricts>,
}

/// The cities in which the token may work, with their districts.
#[utoipa::path(get, path = "/api/cities", tag = "places", operation_id = "listCities", responses((status = 200, description = "By name", body = Cities)))]
pub async fn cities(Extract(state): Extract<State>, caller: Caller<Looks>) -> Result<Answer<Cities>, Problem> {
    let cities = look_up::cities(&state.store, caller.staff()).await?;
    Ok(Answer(Cities { cities: cities.into_iter().map(CityWithDistricts::from).collect() }))
}
