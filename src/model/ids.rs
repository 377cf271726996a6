//! Ids, each a type of its own, so that they cannot be swapped.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// `orders.id`.
    OrderId
);
id!(
    /// `masters.id`.
    MasterId
);
id!(
    /// `staff.id`.
    StaffId
);
id!(
    /// `offers.id`.
    OfferId
);
id!(
    /// A Telegram user, whom every update is authorised by; not yet known to be a master or staff.
    TelegramUserId
);
id!(
    /// `access_tokens.id`.
    TokenId
);
id!(
    /// `cities.id`.
    CityId
);
