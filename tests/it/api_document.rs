//! The API's own description: a change of it is seen in review, and it says what there is.

use std::collections::BTreeSet;

use field_service::api::{self, Kind};
use field_service::dispatch::act::ActOutcome;
use field_service::dispatch::intake::IntakeOutcome;
use field_service::dispatch::manage::ManageOutcome;
use field_service::dispatch::policy::SetPolicyOutcome;
use field_service::model::access::TokenScope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Dispatch;

fn document() -> Value {
    serde_json::to_value(api::document()).expect("JSON")
}

#[test]
fn the_description_is_as_it_was_reviewed() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&document()).expect("JSON"));
}

#[tokio::test]
async fn every_path_is_there_and_nothing_answers_that_is_not_described() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::All, &[]).await;
    assert_eq!(t.holding("").get("/api/openapi.json").await.json(), document(), "it needs no token");
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    for (path, item) in paths {
        let described: BTreeSet<_> =
            item.as_object().expect("operations").keys().map(|method| method.to_uppercase()).collect();
        for method in [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::PUT] {
            let answer = program.ask(method.clone(), &path.replace("{id}", "1"), &[], None).await;
            let is_described = described.contains(method.as_str());
            assert_eq!(answer.status != 405, is_described, "{method} {path}: {}", answer.status);
            if is_described {
                let responses = &item[method.as_str().to_lowercase()]["responses"];
                assert!(
                    !responses[answer.status.to_string()].is_null(),
                    "{method} {path}: {} is not described",
                    answer.status
                );
            }
        }
    }
}

/// Each outcome that is no success is a problem of a kind of its own, or of one that says the same.
#[test]
fn every_outcome_of_a_verb_has_its_problem() {
    let kinds: BTreeSet<_> = Kind::ALL.into_iter().map(Kind::counted).collect();
    assert_eq!(kinds.len(), Kind::ALL.len());
    let said_otherwise = json!({
        "SUCCESS": null, "ALREADY_DONE": null, "REPEATED": null, "ALREADY_SO": null,
        "READ_ONLY": "forbidden", "CHANGED": "stale", "NOT_ALLOWED": "forbidden", "REFUSED": "invalid", "AT_LIMIT": "not-eligible",
        "NOT_LET_IN": "blocked",
    });
    let names = ActOutcome::NAMES.iter().chain(&ManageOutcome::NAMES).chain(&IntakeOutcome::NAMES);
    let names = names.chain(&SetPolicyOutcome::NAMES);
    for name in names {
        let said = said_otherwise
            .get(name)
            .map_or_else(|| Some(name.to_lowercase().replace('_', "-")), |other| other.as_str().map(ToOwned::to_owned));
        if let Some(kind) = said {
            assert!(kinds.contains(kind.as_str()), "{name} has no problem");
        }
    }
    let text = document().to_string();
    for kind in Kind::ALL {
        let never_said = [Kind::Internal, Kind::MethodNotAllowed];
        assert!(
            never_said.contains(&kind) || text.contains(&format!("`{}`", kind.counted())),
            "{kind:?} is not described"
        );
    }
}
