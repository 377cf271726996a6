//! What is counted and measured: one list, from which Prometheus' names and CloudWatch's are made.
//!
//! CloudWatch's are `subject.OUTCOME` and the gauge's own; Prometheus' are `field_service_subject_total{outcome="OUTCOME"}` and
//! `field_service_gauge`, with underscores for dots.

/// Something that is counted by its outcome, and what it is.
pub const COUNTERS: [(&str, &str); 35] = [
    ("api", "Requests to the API, by problem"),
    ("api_authorize", "Tokens that were presented to the API"),
    ("change_master", "Taps of dispatchers that change a master"),
    ("dispatcher", "Updates of dispatchers that could not be handled at once"),
    ("history", "Roots of days over the history of orders"),
    ("log", "Log lines that nobody could take"),
    ("look_again", "Further looks at an order that somebody else was at work on, by what was asked for"),
    ("master", "Updates of masters that could not be handled at once"),
    ("master_change", "Changes of masters over the API"),
    ("offer_accept", "Taps that take an order"),
    ("offer_decline", "Taps that decline an offer"),
    ("order_assign", "Orders given by staff"),
    ("order_cancel", "Orders canceled by staff"),
    ("order_claim", "Orders that staff see to"),
    ("order_close", "Orders closed by masters or staff"),
    ("order_correct", "Sums corrected by masters"),
    ("order_create", "Orders made of drafts"),
    ("order_draft", "Things said of drafts"),
    ("order_edit", "Orders changed by staff"),
    ("order_give_back", "Orders given back by masters"),
    ("order_hasten", "Searches that staff begin at once"),
    ("order_intake", "Orders and sheets taken in over the API"),
    ("order_progress", "Steps reported by masters"),
    ("order_reopen", "Orders opened again by staff"),
    ("order_take_back", "Orders taken back by staff"),
    ("order_unclaim", "Orders left to others by staff"),
    ("outbox", "Attempts to deliver a message"),
    ("redelivery", "Updates that were recognised as handled before"),
    ("session", "Pages that are opened by staff"),
    ("set_policy", "Policies that admins save"),
    ("shift", "Masters who come on shift or leave"),
    ("telegram", "Calls to Telegram that failed when an update was answered"),
    ("update", "Updates that ask for nothing"),
    ("webhook", "Updates that were refused or failed"),
    ("why", "Masters who ask why an order went to somebody else"),
];

/// Something that is measured, and what it is.
pub const GAUGES: [(&str, &str); 5] = [
    ("escalations.unanswered", "Orders that need a dispatcher, of whom none has been reached"),
    ("outbox.oldest_seconds", "Age of the oldest message that is to be delivered"),
    ("outbox.refused_people", "People whose chats refuse everything of a bot that may be misconfigured"),
    ("outbox.unrecorded", "Results of deliveries that the database could not take yet"),
    ("telegram.waiting_updates", "Updates that wait at Telegram"),
];
