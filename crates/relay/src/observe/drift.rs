//! What answers of 1min.ai showed to be otherwise than it is taken to be: a line an hour, and a
//! number for Prometheus. Neither holds anything of an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use onemin::drift;
use onemin::facts::Fact;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

/// Between two log lines.
const PAUSE: Duration = Duration::from_hours(1);

/// Logs what was seen, for ever. The first look comes soon: what has changed shows at once.
pub async fn run() {
    let mut logged: BTreeMap<Fact, u64> = BTreeMap::new();
    let mut pause = Duration::from_mins(1);
    loop {
        tokio::time::sleep(pause).await;
        pause = PAUSE;
        for (fact, count) in drift::counts() {
            let before = logged.insert(fact, count).unwrap_or_default();
            if count > before {
                let (id, claim, times) = (fact.id(), fact.claim(), count - before);
                tracing::warn!(
                    fact = id,
                    times,
                    "answers of 1min.ai differ from what is known of it ({claim}); `1min-relay probe` shows more"
                );
            }
        }
    }
}

/// The counts, by fact.
#[derive(Debug)]
pub struct DriftCollector;

impl Collector for DriftCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = "Answers of 1min.ai that differ from what is known of it, by fact";
        let mut family =
            encoder.encode_descriptor("upstream_drift", help, None, MetricType::Counter)?;
        for (fact, count) in drift::counts() {
            let labels = [("fact", fact.id())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
