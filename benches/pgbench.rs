//! The ceiling: pgbench running the very statements of the accept function, pipelined as the function does, and
//! nothing else.

use std::process::Command;

use field_service::cluster::Cluster;
use field_service::store::{facts, offers, orders};

use crate::data::Data;

/// Accepts per second.
pub fn run(cluster: &Cluster, data: &Data, clients: usize) -> f64 {
    let script = cluster.folder().join(format!("{}.pgbench", data.name));
    std::fs::write(&script, self::script(data, clients)).expect("a script");
    let output = Command::new(cluster.programs().join("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--define=n=-1", "--username=postgres"])
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", clients.min(2)))
        .arg(format!("--transactions={}", data.orders / clients))
        .arg(format!("--file={}", script.display()))
        .arg(format!("--host={}", cluster.folder().display()))
        .arg(&data.name)
        .output()
        .expect("pgbench, which comes with PostgreSQL's server (Debian: postgresql-contrib is part of it)");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "pgbench: {said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
        .expect("pgbench tells its tps")
}

/// The key of the tap.
const UPDATE: &str = "('callback ' || (:order)::text)";

fn script(data: &Data, clients: usize) -> String {
    let fill = |text: &str, values: &[&str]| {
        // A $1 in a comment would be a parameter of no type.
        let lines: Vec<_> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        // From the last on, so that $1 does not eat into $10.
        let values = values.iter().enumerate().rev();
        values.fold(lines.join("\n"), |text, (index, value)| text.replace(&format!("${}", index + 1), value)) + ";\n"
    };
    format!(
        "\\set n :n + 1\n\
         \\set order 1 + :client_id + :n * {clients}\n\
         \\set master 1 + (:order - 1) % {masters}\n\
         \\set user 999 + :master\n\
         \\set offer 1 + (:order - 1) * 3\n\
         \\startpipeline\nBEGIN ISOLATION LEVEL READ COMMITTED;\n{lock}{facts}\\endpipeline\n\
         \\startpipeline\n{record}COMMIT;\n{page}\\endpipeline\n",
        masters = data.masters(),
        lock = fill(orders::LOCK.text, &[":order", "NULL::bigint", ":user"]),
        facts =
            fill(facts::READ.text, &[":order", "NULL::bigint", ":user", "NULL::timestamptz", "'MASTER'::text", UPDATE]),
        record = fill(
            orders::RECORD_ASSIGNMENT.text,
            &[
                ":order::bigint",
                "1",
                "'SEARCHING'::text",
                ":master::bigint",
                ":offer::bigint",
                "'MASTER'::text",
                "NULL::bigint",
                "NULL::timestamptz",
                "'MASTER'::text",
                UPDATE,
                "'ACCEPT'::text",
                "NULL::integer",
            ],
        ),
        page = fill(
            offers::PAGE.text,
            &[":master::bigint", "NULL::bigint", "1::bigint", "5::bigint", "NULL::timestamptz", "NULL::integer"],
        ),
    )
}
