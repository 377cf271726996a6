//! The way to the dispatchers' page.

/// In the menu.
pub const BUTTON: &str = "🖥 Страница";
/// What the ways are.
pub const BOTH: &str = "🖥 <b>Страница диспетчера</b>\nВсе заявки, мастера и цифры на большом экране.\n\n\
                        Откройте её прямо здесь или в браузере: ссылка сработает один раз в течение 10 минут.";
/// What the way is.
pub const LINK: &str = "🖥 <b>Страница диспетчера</b>\nВсе заявки, мастера и цифры на большом экране.\n\n\
                        Откройте её в браузере: ссылка сработает один раз в течение 10 минут.";
/// Inside Telegram.
pub const OPEN_INSIDE: &str = "Открыть здесь";
/// In any browser.
pub const OPEN_OUTSIDE: &str = "Открыть в браузере";
/// On the button beside the field.
pub const MENU_BUTTON: &str = "Страница";
