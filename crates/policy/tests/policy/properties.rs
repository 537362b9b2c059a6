use model::{Action, RepositoryName, Resource};
use policy::{Context, Document, Effective, Request, evaluate, filter, ram};
use proptest::prelude::*;
use serde_json::Value;

use crate::documents::{NAMES, circumstances, denying, documents, question};
use crate::{decide, instance, named, oracle, read, repository};

fn read_all(documents: &[Value]) -> Vec<Document> {
    documents.iter().map(|json| read(&json.to_string())).collect()
}

fn word(outcome: Effective) -> &'static str {
    match outcome {
        Effective::Allowed => "allow",
        Effective::Denied => "deny",
        Effective::NotSaid => "default deny",
    }
}

fn is_allowed(documents: &[Document], action: Action, resource: &Resource, context: &Context) -> bool {
    decide(documents, action, resource, context) == Effective::Allowed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_evaluators_agree(json in documents(), (action, resource) in question(), (context, facts) in circumstances()) {
        let outcome = decide(&read_all(&json), action, &resource, &context);
        prop_assert_eq!(word(outcome), oracle::decide(&json, action, &resource, &facts));
    }

    #[test]
    fn prints_what_it_reads(json in documents()) {
        for document in read_all(&json) {
            prop_assert_eq!(&read(&ram::print(&document)), &document);
        }
    }

    #[test]
    fn order_changes_nothing(json in documents(), (action, resource) in question(), (context, _) in circumstances()) {
        let documents = read_all(&json);
        let mut backwards: Vec<_> = documents.iter().rev().cloned().collect();
        for document in &mut backwards {
            document.statements.reverse();
        }
        prop_assert_eq!(decide(&documents, action, &resource, &context), decide(&backwards, action, &resource, &context));
    }

    #[test]
    fn a_denial_wins_and_never_grants(json in documents(), denial in denying(), (action, resource) in question(), (context, _) in circumstances()) {
        let mut documents = read_all(&json);
        let before = decide(&documents, action, &resource, &context);
        let alone = decide(&read_all(std::slice::from_ref(&denial)), action, &resource, &context);
        documents.push(read(&denial.to_string()));
        let after = decide(&documents, action, &resource, &context);
        if alone == Effective::Denied {
            prop_assert_eq!(after, Effective::Denied);
        }
        prop_assert!(before == Effective::Allowed || after != Effective::Allowed);
    }

    #[test]
    fn the_statement_that_decided_decides_alone(json in documents(), (action, resource) in question(), (context, _) in circumstances()) {
        let documents = read_all(&json);
        let decision = evaluate(&named(&documents), &Request { action, resource: &resource, context: &context });
        if let Some(by) = decision.by() {
            let alone = Document { statements: vec![documents[by.policy.parse::<usize>().unwrap()].statements[by.statement].clone()] };
            prop_assert_eq!(decide(&[alone], action, &resource, &context), decision.effective());
        }
    }

    #[test]
    fn a_filter_shows_what_is_allowed(json in documents(), (context, _) in circumstances(), push in any::<bool>()) {
        let action = if push { Action::PushRepository } else { Action::PullRepository };
        let documents = read_all(&json);
        let filter = filter(&named(&documents), action, &context, &instance());
        let ranges = filter.ranges();
        for pair in ranges.windows(2) {
            prop_assert!(pair[0].to.as_ref().is_some_and(|to| *to < pair[1].from), "sorted and apart: {:?}", ranges);
        }
        for name in NAMES {
            let shown = filter.shows(&RepositoryName::parse(name).unwrap());
            prop_assert_eq!(shown, is_allowed(&documents, action, &repository(name), &context), "{}", name);
            prop_assert!(!shown || ranges.iter().any(|range| range.contains(name)), "{} in {:?}", name, ranges);
        }
    }

    #[test]
    fn a_filter_agrees_on_any_name(json in documents(), name in "[a-e]{1,2}(/[a-p]{1,4}){0,2}", (context, _) in circumstances()) {
        let documents = read_all(&json);
        let filter = filter(&named(&documents), Action::PullRepository, &context, &instance());
        let shown = filter.shows(&RepositoryName::parse(&name).unwrap());
        prop_assert_eq!(shown, is_allowed(&documents, Action::PullRepository, &repository(&name), &context));
        prop_assert!(!shown || filter.ranges().iter().any(|range| range.contains(&name)));
    }

    #[test]
    fn no_text_makes_the_reader_fail_otherwise_than_by_an_error(text in "\\PC{0,200}") {
        prop_assert!(ram::parse(&text).is_err());
    }

    #[test]
    fn mutilated_documents_are_read_or_refused(json in documents(), cut in any::<prop::sample::Index>(), byte in any::<char>()) {
        for document in json {
            let mut chars: Vec<char> = document.to_string().chars().collect();
            let index = cut.index(chars.len());
            chars[index] = byte;
            let text: String = chars.into_iter().collect();
            if let Ok(document) = ram::parse(&text) {
                prop_assert_eq!(ram::parse(&ram::print(&document)), Ok(document));
            }
        }
    }
}
