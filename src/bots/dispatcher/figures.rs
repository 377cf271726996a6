//! The figures.

use super::super::callback::staff::FiguresTap;
use super::By;
use super::reply::Reply;
use crate::store;

impl By<'_> {
    /// The reply to a button of the figures.
    pub(super) async fn figures(self, _tap: FiguresTap) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// Today's figures.
    pub(super) async fn first_figures(self) -> Result<Reply, store::Error> {
        self.menu().await
    }
}
