//! The probe against the simulator: it finds what is altered, and nothing else.

use onemin::facts::{Fact, Probe};
use onemin::{ApiKey, Client, Options, probe};
use relay::probe::{report, table};
use simulator::Simulator;

async fn findings(simulator: &Simulator, spend: Option<u64>) -> probe::Findings {
    let url: url::Url = simulator.url().parse().unwrap();
    let options = Options {
        base_url: url.clone(),
        asset_url: url,
        ..Options::default()
    };
    let client = Client::new(options).unwrap();
    let key = ApiKey::parse("key-of-probe").unwrap();
    probe::run(&client, &key, spend).await
}

const ENOUGH: Option<u64> = Some(1_000_000);

#[tokio::test]
async fn against_the_simulator_as_it_is_everything_holds() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let found = findings(&simulator, ENOUGH).await;
    for (fact, verdict) in &found.facts {
        if fact.probe() != Probe::Never {
            assert_eq!(*verdict, probe::Verdict::Holds, "{}", fact.id());
        }
    }
    let charged: u64 = simulator
        .charges()
        .iter()
        .map(|charge| charge.credits)
        .sum();
    assert!(
        charged > 0 && charged * 1000 <= found.spent,
        "{charged} {}",
        found.spent
    );
    assert!(found.spent <= 1_000_000);
    let report = report(&found, "2026-11-28");
    for personal in [
        "key-of-probe",
        "Relay Tester",
        "3b1f6a0e",
        "Jupiter",
        "c0a8e1d4",
    ] {
        assert!(!report.contains(personal), "{personal}");
    }
}

#[tokio::test]
async fn without_leave_to_spend_nothing_is_charged() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    for spend in [None, Some(10_000)] {
        let found = findings(&simulator, spend).await;
        assert!(found.differing().is_empty());
        for (fact, verdict) in &found.facts {
            match fact.probe() {
                Probe::Free => assert_eq!(*verdict, probe::Verdict::Holds, "{}", fact.id()),
                Probe::Paid | Probe::Never => {
                    assert!(
                        matches!(verdict, probe::Verdict::Unclear(_)),
                        "{}",
                        fact.id()
                    );
                }
            }
        }
    }
    let credits: u64 = simulator
        .charges()
        .iter()
        .map(|charge| charge.credits)
        .sum();
    assert_eq!(credits, 0);
}

#[tokio::test]
async fn each_altered_fact_is_found_and_no_other() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let altered: Vec<&str> = simulator::alterations().map(|(id, _)| id).collect();
    let probed = Fact::ALL.iter().filter(|fact| fact.probe() != Probe::Never);
    for fact in probed {
        assert!(
            altered.contains(&fact.id()),
            "no switch alters `{}`",
            fact.id()
        );
    }
    for id in altered {
        simulator.reset();
        simulator.alter(&[id]).unwrap();
        let fact = Fact::of_id(id).unwrap();
        let found = findings(&simulator, ENOUGH).await;
        assert_eq!(found.differing(), [fact], "{id}\n{}", table(&found));
    }
}

#[test]
fn the_command_prints_a_table_and_writes_a_report() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let report = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe-report.json");
    let run = |arguments: &[&str]| {
        let mut command = crate::rig::command();
        command
            .args(["probe"])
            .args(arguments)
            .env("ONEMIN_BASE_URL", simulator.url())
            .env("ONEMIN_ASSET_URL", simulator.url())
            .env("ONEMIN_API_KEY", "key-of-probe");
        let output = command.output().unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let path = report.to_str().unwrap();
    let (well, text) = run(&["--spend", "1000", "--report", path]);
    assert!(well, "{text}");
    assert!(
        text.contains("0 differ") && text.contains("chat-price-rule"),
        "{text}"
    );
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(written["facts"].as_array().unwrap().len(), Fact::ALL.len());
    let (_, free) = run(&[]);
    assert!(free.contains("give --spend"), "{free}");
}
