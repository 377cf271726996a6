//! `access_tokens`: by what programs and pages are known over HTTP.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::staff::{find_cities, replace_cities};
use super::{Connection, Error, Ready, Statement, Store, column, facts, statement};
use crate::model::access::{Access, Token, TokenEntry, TokenKind, TokenScope};
use crate::model::{Role, StaffId, StaffRef, TokenId};

/// Finds out whose a token is, if it is good at this moment, and counts a request to change something. A link is no token yet.
pub(crate) const AUTHORIZE: Statement = statement!(
    "access.authorize",
    [INT8, BYTEA, BOOL, TIMESTAMPTZ],
    "WITH moment AS MATERIALIZED (
         SELECT coalesce($4, now()) /* now */ AS now, date_trunc('minute', coalesce($4, now())) AS minute,
                -- A count that a crash of the server loses hurts nobody.
                set_config('synchronous_commit', 'off', true) AS commit
     ), known AS MATERIALIZED (
         SELECT token.id, token.scope, who.staff_id, who.full_name, who.role, moment.now, moment.minute
         FROM moment
         JOIN access_tokens AS token ON token.id = $1 /* token */ AND token.secret_hash = $2 /* hash */
         CROSS JOIN LATERAL staff_right(token.staff_id, NULL) AS who
         WHERE token.kind <> 'LINK' AND token.revoked_at IS NULL AND coalesce(token.expires_at > moment.now, true)
     ), counted AS (
         UPDATE access_tokens AS token
         -- Of two at a minute's end the earlier one may come last.
         SET last_used_at = greatest(token.last_used_at, known.minute), minute = greatest(token.minute, known.minute),
             writes = CASE WHEN token.minute >= known.minute THEN token.writes ELSE 0 END + $3::integer
         FROM known
         WHERE token.id = known.id AND ($3 /* writes */ OR token.last_used_at IS DISTINCT FROM known.minute)
         RETURNING token.writes
     )
     SELECT known.*, (SELECT writes FROM counted) AS writes,
            ceil(60 - extract(epoch FROM known.now - known.minute))::integer AS minute_ends_in
     FROM known"
);

/// What is known of a token.
pub(crate) struct Known {
    pub(crate) access: Access,
    /// How many requests to change something there were in this minute, with this one; `None`: it is none.
    pub(crate) writes: Option<i32>,
    /// After how many seconds the next minute begins.
    pub(crate) minute_ends_in: i32,
}

/// Runs [`AUTHORIZE`]; `None`: it is no good token. `writes`: something is to be changed.
pub(crate) async fn authorize(
    connection: &Connection,
    statement: &Ready,
    token: &Token,
    writes: bool,
    now: Option<Timestamp>,
) -> Result<Option<Known>, Error> {
    let rows = connection.query(statement, &[&token.id.0, &token.hash(), &writes, &now]).await?;
    rows.first().map(known).transpose()
}

fn known(row: &Row) -> Result<Known, Error> {
    Ok(Known { access: access(row)?, writes: column(row, "writes")?, minute_ends_in: column(row, "minute_ends_in")? })
}

fn access(row: &Row) -> Result<Access, Error> {
    Ok(Access {
        token: TokenId(column(row, "id")?),
        staff: StaffId(column(row, "staff_id")?),
        full_name: column(row, "full_name")?,
        role: facts::role(row)?,
        scope: scope(row)?,
    })
}

fn scope(row: &Row) -> Result<TokenScope, Error> {
    let scope = column(row, "scope")?;
    TokenScope::parse(scope).ok_or_else(|| facts::unknown("scope", scope))
}

const INSERT: Statement = statement!(
    "access.insert",
    [INT8, TEXT, TEXT, BYTEA, FLOAT8, TIMESTAMPTZ],
    "INSERT INTO access_tokens (staff_id, kind, scope, secret_hash, created_at, expires_at)
     SELECT $1 /* staff */, $2 /* kind */, $3 /* scope */, $4 /* hash */, moment.now, moment.now + make_interval(secs => $5)
     FROM (SELECT coalesce($6, now()) /* now */ AS now) AS moment
     RETURNING id, expires_at"
);

/// Makes a program with its token. Err: the first name that is no city's; nothing is made then.
///
/// # Errors
/// When the database failed.
pub async fn create(
    store: &Store,
    name: &str,
    scope: TokenScope,
    cities: &[String],
    expires_in: Option<Duration>,
    secret: [u8; 32],
) -> Result<Result<Token, String>, Error> {
    const PROGRAM: Statement = statement!(
        "access.add_program",
        [TEXT, TEXT],
        "INSERT INTO staff (id, telegram_user_id, full_name, role, is_program)
         SELECT number, -number, $1 /* name */, $2 /* role */, true
         FROM nextval(pg_get_serial_sequence('staff', 'id')) AS number
         RETURNING id"
    );
    let role = if scope == TokenScope::Read { Role::Viewer } else { Role::Dispatcher };
    store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let cities = match find_cities(&connection, cities).await? {
                Ok(cities) => cities,
                Err(name) => {
                    connection.rollback().await?;
                    return Ok(Err(name));
                }
            };
            let rows = connection.fetch(&PROGRAM, &[&name, &role.as_str()]).await?;
            let staff = StaffId(column(&rows[0], "id")?);
            replace_cities(&connection, staff.0, &cities).await?;
            let (token, _) =
                insert(&connection, staff, TokenKind::Token, scope, secret, expires_in, store.now()).await?;
            connection.commit().await?;
            Ok(Ok(token))
        })
        .await
}

/// Makes a token, in the open transaction; and when it ends.
pub(crate) async fn insert(
    connection: &Connection,
    staff: StaffId,
    kind: TokenKind,
    scope: TokenScope,
    secret: [u8; 32],
    expires_in: Option<Duration>,
    now: Option<Timestamp>,
) -> Result<(Token, Option<Timestamp>), Error> {
    let seconds = expires_in.map(|time| time.as_secs_f64());
    let hash = crate::model::access::hash(&secret);
    let rows = connection.fetch(&INSERT, &[&staff.0, &kind.as_str(), &scope.as_str(), &hash, &seconds, &now]).await?;
    Ok((Token::new(TokenId(column(&rows[0], "id")?), secret), column(&rows[0], "expires_at")?))
}

/// The tokens of programs, in the order in which they were made.
///
/// # Errors
/// When the database failed.
pub async fn list(store: &Store) -> Result<Vec<TokenEntry>, Error> {
    const LIST: Statement = statement!(
        "access.list",
        [],
        "SELECT token.id, staff.full_name, token.scope, token.last_used_at, token.expires_at,
                token.revoked_at IS NOT NULL OR NOT staff.is_active AS revoked,
                ARRAY (SELECT cities.name FROM staff_cities JOIN cities ON cities.id = city_id
                       WHERE staff_id = staff.id ORDER BY cities.name) AS cities
         FROM access_tokens AS token
         JOIN staff ON staff.id = token.staff_id
         WHERE token.kind = 'TOKEN'
         ORDER BY token.id"
    );
    store.run(async |connection: Connection| connection.fetch(&LIST, &[]).await?.iter().map(entry).collect()).await
}

fn entry(row: &Row) -> Result<TokenEntry, Error> {
    Ok(TokenEntry {
        id: TokenId(column(row, "id")?),
        name: column(row, "full_name")?,
        scope: scope(row)?,
        cities: column(row, "cities")?,
        last_used_at: column(row, "last_used_at")?,
        expires_at: column(row, "expires_at")?,
        revoked: column(row, "revoked")?,
    })
}

/// Ends a program's token, and with it the program's right; false if there is none that could still be used.
///
/// # Errors
/// When the database failed.
pub async fn revoke(store: &Store, token: TokenId) -> Result<bool, Error> {
    const REVOKE: Statement = statement!(
        "access.revoke",
        [INT8, TIMESTAMPTZ],
        "WITH ended AS (
             UPDATE access_tokens SET revoked_at = coalesce($2, now()) /* now */
             WHERE id = $1 /* token */ AND kind = 'TOKEN' AND revoked_at IS NULL
             RETURNING staff_id
         )
         UPDATE staff SET is_active = false FROM ended WHERE staff.id = ended.staff_id AND is_program RETURNING staff.id"
    );
    store
        .run(async |connection: Connection| {
            let params = [&token.0 as &(dyn ToSql + Sync), &store.now()];
            Ok(!connection.fetch(&REVOKE, &params).await?.is_empty())
        })
        .await
}

/// Somebody of the staff, who may act at this moment.
pub(crate) struct Person {
    pub(crate) staff: StaffId,
    pub(crate) full_name: String,
    pub(crate) role: Role,
}

/// Finds somebody of the staff; `None`: there is nobody like that, or it is a program.
pub(crate) async fn person(connection: &Connection, staff: StaffRef) -> Result<Option<Person>, Error> {
    const PERSON: Statement = statement!(
        "access.person",
        [INT8, INT8],
        "SELECT who.staff_id, who.full_name, who.role
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN staff ON staff.id = who.staff_id AND NOT staff.is_program"
    );
    let rows = connection.fetch(&PERSON, &[&staff.id(), &staff.telegram_user()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Person {
        staff: StaffId(column(row, "staff_id")?),
        full_name: column(row, "full_name")?,
        role: facts::role(row)?,
    }))
}

/// Follows a link, in the open transaction: whose it is, if nobody has followed it before.
pub(crate) async fn follow(
    connection: &Connection,
    link: &Token,
    now: Option<Timestamp>,
) -> Result<Option<StaffRef>, Error> {
    const FOLLOW: Statement = statement!(
        "access.follow_link",
        [INT8, BYTEA, TIMESTAMPTZ],
        "UPDATE access_tokens SET revoked_at = coalesce($3, now()) /* now */
         WHERE id = $1 /* link */ AND secret_hash = $2 /* hash */ AND kind = 'LINK' AND revoked_at IS NULL
           AND expires_at > coalesce($3, now())
         RETURNING staff_id"
    );
    let rows = connection.fetch(&FOLLOW, &[&link.id.0, &link.hash(), &now]).await?;
    rows.first().map(|row| Ok(StaffRef::Id(StaffId(column(row, "staff_id")?)))).transpose()
}

/// The session with that secret that was begun by a link, in an earlier try of the same request: a commit may have succeeded of which
/// nobody was told.
pub(crate) async fn session_of(
    connection: &Connection,
    link: &Token,
    secret: [u8; 32],
) -> Result<Option<(Token, Timestamp, Access)>, Error> {
    const BEGUN: Statement = statement!(
        "access.session_of_link",
        [INT8, BYTEA, BYTEA],
        "SELECT session.id, session.scope, session.expires_at, who.staff_id, who.full_name, who.role
         FROM access_tokens AS link
         JOIN access_tokens AS session ON session.staff_id = link.staff_id AND session.secret_hash = $3 /* secret's hash */
         CROSS JOIN LATERAL staff_right(session.staff_id, NULL) AS who
         WHERE link.id = $1 /* link */ AND link.secret_hash = $2 /* hash */ AND link.kind = 'LINK'
           AND session.kind = 'SESSION' AND session.revoked_at IS NULL"
    );
    let hash = crate::model::access::hash(&secret);
    let rows = connection.fetch(&BEGUN, &[&link.id.0, &link.hash(), &hash]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let access = access(row)?;
    Ok(Some((Token::new(access.token, secret), column(row, "expires_at")?, access)))
}

/// Begins a session of somebody of the staff, in the open transaction: its token, when it ends, and whose it is. `None`: it is nobody
/// of the staff.
pub(crate) async fn begin_session(
    connection: &Connection,
    staff: StaffRef,
    expires_in: Duration,
    secret: [u8; 32],
    now: Option<Timestamp>,
) -> Result<Option<(Token, Timestamp, Access)>, Error> {
    let Some(Person { staff, full_name, role }) = person(connection, staff).await? else { return Ok(None) };
    let scope = if role.acts() { TokenScope::All } else { TokenScope::Read };
    let (token, expires_at) =
        insert(connection, staff, TokenKind::Session, scope, secret, Some(expires_in), now).await?;
    let access = Access { token: token.id, staff, full_name, role, scope };
    Ok(expires_at.map(|at| (token, at, access)))
}

/// Ends a session.
///
/// # Errors
/// When the database failed.
pub(crate) async fn end_session(store: &Store, token: TokenId) -> Result<(), Error> {
    const END: Statement = statement!(
        "access.end_session",
        [INT8, TIMESTAMPTZ],
        "UPDATE access_tokens SET revoked_at = coalesce($2, now()) /* now */
         WHERE id = $1 /* token */ AND kind = 'SESSION' AND revoked_at IS NULL"
    );
    store
        .run(async |connection: Connection| {
            connection.fetch(&END, &[&token.0 as &(dyn ToSql + Sync), &store.now()]).await.map(drop)
        })
        .await
}
