//! What is known and decided, as plain values: no I/O, no clock, nothing of Telegram or SQL.

pub mod actor;
pub mod amount;
pub mod blocked;
pub mod bot;
pub mod candidates;
pub mod dialog;
pub mod facts;
pub mod figures;
pub mod ids;
pub mod invitation;
pub mod managed;
pub mod master_change;
pub mod moment;
pub mod notification;
pub mod offer;
pub mod onboarding;
pub mod order;
pub mod policy;
pub mod queue;
pub mod selection;
pub mod staff;
pub mod staff_card;
pub mod staff_dialog;
pub mod staff_order;
pub mod text;
pub mod update;

pub use actor::{Actor, MasterRef};
pub use amount::Amount;
pub use bot::BotName;
pub use facts::OfferFacts;
pub use ids::{CityId, MasterId, OfferId, OrderId, StaffId, TelegramUserId};
pub use offer::{Deadline, Hindrance, OfferLine, OfferList, OfferState, PAGE_SIZE};
pub use order::{ActiveList, Category, Client, OrderCard, OrderStatus, OwnOrder, TimeSlot};
pub use staff::{Place, Role, StaffProfile, StaffRef, Version};
pub use staff_dialog::{StaffDialog, StaffIncoming, StaffQuestion};
pub use update::{Origin, UpdateKey};
