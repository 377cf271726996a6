//! What comes of an update.

use crate::bots::render::Screen;
use crate::model::OrderId;
use crate::telegram::Notice;

/// What takes a screen's place later.
#[derive(Clone, Copy)]
pub(super) enum Instead {
    /// The order that the master got, who must not miss it.
    Own(OrderId),
    /// The list of offers: the message may still show one of them as if it could be taken.
    List,
}

/// What the person gets to see, and what else a tap has caused.
#[derive(Default)]
pub(super) struct Reply {
    pub(super) notice: Option<Notice>,
    pub(super) screen: Option<Screen>,
    /// What the outbox is to show if the screen cannot be shown now; the next tap shows the rest.
    pub(super) instead: Option<Instead>,
    /// The order of which others are to be told.
    pub(super) told: Option<OrderId>,
}

impl Reply {
    pub(super) fn screen(screen: Screen) -> Self {
        Self { screen: Some(screen), ..Self::default() }
    }

    /// A dialog over the chat, which has to be closed.
    pub(super) fn alert(text: impl Into<String>, screen: Option<Screen>) -> Self {
        Self { notice: Some(Notice { text: text.into(), alert: true }), screen, ..Self::default() }
    }

    /// A line over the chat, which goes by itself.
    pub(super) fn toast(text: impl Into<String>, screen: Option<Screen>) -> Self {
        Self { notice: Some(Notice { text: text.into(), alert: false }), screen, ..Self::default() }
    }
}
