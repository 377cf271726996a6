//! By what everything that is made here is known again: tokens, people, and the numbers of clients in whatever is shown or logged.

/// How the programs are called by the database: nobody who could use what is kept for its owner.
pub(super) const ROLE: &str = "field_service";
pub(super) const DATABASE: &str = "torture";
pub(super) const MASTER_TOKEN: &str = "1001:torture";
pub(super) const ADMIN_TOKEN: &str = "1002:torture";
pub(super) const MASTER_BOT: i64 = 1001;
pub(super) const SECRET: &str = "torture-secret";
/// Before a client's number of six digits, where they live and what they are called; and of seven, their phone.
pub(super) const ADDRESS: &str = "Torture street ";
pub(super) const CLIENT: &str = "Client";
pub(super) const PHONE: &str = "+7912";
/// The trade of the last orders.
pub(super) const LAST_TRADE: &str = "WINDOWS";
/// Who of the staff may only look.
pub(super) const VIEWER: i64 = 9005;
/// Who of the staff changes what masters may.
pub(super) const FOREMAN: i64 = 9006;
/// Telegram ids: masters are counted from the first on.
pub(super) const FIRST_MASTER: i64 = 5001;
pub(super) const STAFF: [i64; 5] = [9001, 9002, 9003, 9004, 9005];

/// The numbers of six digits that stand after a word: of one that was cut nobody knows which it was.
pub(super) fn numbers_after(text: &str, word: &str) -> Vec<i64> {
    let number = |rest: &str| {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().filter(|digits| digits.len() == 6);
        digits.and_then(|digits| digits.parse().ok())
    };
    text.split(word).skip(1).filter_map(number).collect()
}

/// The clients whose name or phone is in a text, however the phone is written.
pub(super) fn clients_in(text: &str) -> Vec<i64> {
    let client = |rest: &str| rest.get(..7)?.parse().ok();
    let close = text.replace([' ', '-', '(', ')', '\u{a0}'], "");
    numbers_after(text, CLIENT).into_iter().chain(close.split(PHONE).skip(1).filter_map(client)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_was_cut_is_nobodys() {
        let text = "Torture street 000012, Torture street 0000…, Client000003";
        assert_eq!((numbers_after(text, ADDRESS), numbers_after(text, CLIENT)), (vec![12], vec![3]));
        assert_eq!(clients_in("+79120000007 79120000008 +7912000"), [7]);
        assert_eq!(clients_in("Client000003 +7 (912) 000-00-07 +7\u{a0}912 000-00-08"), [3, 7, 8]);
    }
}
